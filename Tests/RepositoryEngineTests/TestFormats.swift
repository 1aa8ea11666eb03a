import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore

/// Files at paths, with a door `d` where the first segment names the repository: the least that shows what the engine does.
struct DoorFormat: RepositoryFormat {
    struct Operation: FormatOperation {
        var path: [String]
        var name: StaticString { "door.read" }
        var accesses: [Access] { [Access(.read, path: self.path.joined(separator: "/"))] }
    }
    static let id = "door"
    static let doors = ["d"]

    func locate(_ head: RequestHead, at entrance: Entrance, among repositories: any RepositoryDirectory, _ site: NoSettings) -> Location? {
        switch entrance {
        case .repository(let name): return Location(.repository(name), consumed: 0)
        case .door:
            guard let first = head.path.first, !first.isEmpty else { return Location(.site, consumed: 0) }
            guard let name = try? RepositoryName(first), repositories.has(name, of: Self.id) else { return nil }
            return Location(.repository(name), consumed: 1)
        }
    }

    func parse(_ head: RequestHead) throws(FormatError) -> Operation {
        guard head.method == .get else { throw FormatError(.methodNotAllowed, "only GET") }
        return Operation(path: head.path)
    }

    func respond(to operation: Operation, _ request: ArtifactRequest, in content: any RepositoryContent, _ settings: NoSettings) async throws
        -> ArtifactResponse
    {
        let text = "\(content.context.repository) \(operation.path.joined(separator: "|")) \(request.head.root)"
        return ArtifactResponse(.ok, body: .bytes(ByteBuffer(string: text)))
    }

    func respond(atDoor request: ArtifactRequest, in site: any Site) async throws -> ArtifactResponse? {
        ArtifactResponse(.ok, body: .bytes(ByteBuffer(string: try await site.readable().map(\.text).joined(separator: ","))))
    }

    func render(_ failure: Failure, for head: RequestHead) -> ArtifactResponse {
        ArtifactResponse(failure.error.code == .notFound ? .notFound : .badRequest, body: .bytes(ByteBuffer(string: "door: \(failure.error.message)")))
    }
}
