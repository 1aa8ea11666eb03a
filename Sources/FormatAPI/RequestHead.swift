public import ArtifactModel
public import HTTPTypes

/// A request as a format sees it, without its body.
public struct RequestHead: Sendable {
    public var method: HTTPRequest.Method
    /// Within the repository. Split at `/` first, percent-decoded after: a segment may hold `/` (`@scope%2fname`). A trailing slash
    /// leaves an empty last segment; the root is an empty list. No segment is `.` or `..`, none holds NUL.
    public var path: [String]
    /// Decoded, in order; names may repeat (`scope=`, `paths=`).
    public var query: [(name: String, value: String)]
    public var headers: HTTPFields
    /// The absolute path that `path` is relative to, in the client's view, percent-encoded, with no slash at its end:
    /// `/repository/files`, `/v2/docker-local`. What a relative `Location` or `Link` begins with.
    public var root: String
    /// `https://host:port` as clients see it. Trusted: `server.baseURL`, or a Host that passed `server.hosts`.
    public var origin: String
    /// What names this root to a token service and is signed into its tickets: `host:port`, with `/repository/<name>` where that is part of the root.
    public var audience: String

    public init(
        method: HTTPRequest.Method, path: [String], query: [(name: String, value: String)] = [], headers: HTTPFields = [:],
        root: String = "", origin: String = "", audience: String = ""
    ) {
        self.audience = audience
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.root = root
        self.origin = origin
    }

    /// The first value of a query parameter.
    public func query(_ name: String) -> String? { self.query.first { $0.name == name }?.value }
}

public struct ArtifactRequest: Sendable {
    public var head: RequestHead
    /// Reading it is what answers `Expect: 100-continue`: refuse first, read after.
    public var body: ByteStream
    public init(head: RequestHead, body: ByteStream) {
        self.head = head
        self.body = body
    }
}
