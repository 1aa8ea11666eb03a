public import ArtifactModel
public import FormatAPI
import HTTPTypes

/// A format that serves nothing, for tests that work on a repository's content alone.
public struct SilentFormat: RepositoryFormat {
    public struct Operation: FormatOperation {
        public var name: StaticString { "silent.none" }
        public var accesses: [Access] { [] }
    }
    public static let id = "silent"
    public init() {}

    public func parse(_ head: RequestHead) throws(FormatError) -> Operation { Operation() }
    public func respond(to operation: Operation, _ request: ArtifactRequest, in content: any RepositoryContent, _ settings: NoSettings) async throws
        -> ArtifactResponse
    { ArtifactResponse(.notFound) }
    public func render(_ failure: Failure, for head: RequestHead) -> ArtifactResponse { ArtifactResponse(.badRequest) }
}
