public import ArtifactModel
public import FormatAPI
import HTTPTypes
import NIOCore

/// A Maven 2 repository, as Maven, Gradle, Ivy and sbt ask it.
public struct MavenRepository: RepositoryFormat {
    public typealias Operation = MavenOperation
    public typealias Settings = MavenSettings

    public static let id = "maven2"
    public static let aliases = ["maven"]
    /// What was released stays what it was.
    public static let writePolicy = WritePolicy.allowOnce

    public init() {}

    /// Group and artifact, with dots: `com.acme.app`, so that `com.acme.**` is all that is below a group; the metadata of the group itself too.
    public static func name(at path: AssetPath) -> String {
        do {
            let path = try MavenPath(path.text.split(separator: "/").map(String.init))
            if case .metadata(let folder) = path.kind { return Self.nameOfMetadata(folder.joined(separator: "/")) }
            return path.subject.replacing("/", with: ".")
        } catch {
            return path.text
        }
    }

    static func nameOfMetadata(_ folder: String) -> String { "\(folder.replacing("/", with: ".")).\(MavenPath.metadataFile)" }

    /// - Throws: `.methodNotAllowed`; `.invalidRequest` for a path that no file may have.
    public func parse(_ head: RequestHead) throws(FormatError) -> MavenOperation {
        let path = try MavenPath(head.path)
        switch head.method {
        case .get, .head: return MavenOperation(verb: .read, path: path)
        case .put where path.kind != .folder: return MavenOperation(verb: .write, path: path)
        case .delete where path.asset != nil: return MavenOperation(verb: .delete, path: path)
        default: throw FormatError(.methodNotAllowed, "files are read by GET and HEAD, deployed by PUT and removed by DELETE; a folder takes no PUT")
        }
    }

    public func respond(
        to operation: MavenOperation, _ request: ArtifactRequest, in content: any RepositoryContent, _ settings: MavenSettings
    ) async throws -> ArtifactResponse {
        let path = operation.path
        switch operation.verb {
        case .read:
            guard let asset = path.asset, path.kind != .folder else { return try await FolderPaging(request.head).page(of: path.asset, request.head, content) }
            if let algorithm = path.checksum { return try await self.checksum(algorithm, of: path, asset, content) }
            return try await self.read(path, asset, request.head, content)
        case .write:
            guard let asset = path.asset else { throw FormatError(.methodNotAllowed, "a folder takes no PUT") }
            if let algorithm = path.checksum { return try await self.putChecksum(algorithm, of: path, asset, request, content, settings) }
            return try await self.deploy(path, asset, request, content, settings)
        case .delete:
            guard let asset = path.asset else { throw FormatError(.methodNotAllowed, "the root is no file") }
            return try await self.delete(path, asset, content)
        }
    }

    /// `com.acme:app:1.0`, `com.acme:app:1.0:jar`, `com.acme:app:1.0:jar:sources`: the file and its POM.
    public func prefetch(
        _ reference: String, _ choice: [String], in content: any RepositoryContent, _ settings: MavenSettings
    ) async throws -> [Prefetch] {
        let words = reference.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (3...5).contains(words.count), words.allSatisfy({ !$0.isEmpty }) else {
            throw FormatError(.invalidRequest, "«\(reference.prefix(200))» is no artifact: group:artifact:version[:extension[:classifier]]")
        }
        let folder = words[0].split(separator: ".").map(String.init) + [words[1], words[2]]
        let stem = "\(words[1])-\(words[2])"
        let files = ["\(stem).pom", "\(stem)\(words.count == 5 ? "-\(words[4])" : "").\(words.count > 3 ? words[3] : "jar")"]
        return try Set(files).sorted().map { file in
            let path = try MavenPath(folder + [file])
            guard let asset = path.asset else { throw FormatError(.invalidRequest, "«\(reference.prefix(200))» is no artifact") }
            return Prefetch(Self.request(path, asset))
        }
    }
}
