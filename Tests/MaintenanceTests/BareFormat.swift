import ArtifactModel
import FormatAPI
import HTTPTypes

/// A format that serves nothing: these tests work on content alone.
struct BareFormat: RepositoryFormat {
    struct Operation: FormatOperation {
        var name: StaticString { "bare.none" }
        var accesses: [Access] { [] }
    }
    static let id = "bare"

    func parse(_ head: RequestHead) throws(FormatError) -> Operation { Operation() }
    func respond(to operation: Operation, _ request: ArtifactRequest, in content: any RepositoryContent, _ settings: NoSettings) async throws
        -> ArtifactResponse
    {
        ArtifactResponse(.notFound)
    }
    func render(_ failure: Failure, for head: RequestHead) -> ArtifactResponse { ArtifactResponse(.badRequest) }
}
