public import AccessControl
public import ArtifactModel
public import FormatAPI
public import HTTPTypes

/// Answers every request for artifacts: the seam between the web server and the engine.
public protocol ArtifactHandler: Sendable {
    /// Never throws: a failure is a response, rendered as the format's clients understand it.
    func respond(to request: IncomingRequest) async -> RequestOutcome
    /// The body for a request that is refused before it can be asked about, in the words of the format that its path begins with.
    /// - Parameter path: as it was sent, and no safe one.
    /// - Returns: nil where no format is known.
    func refusal(_ error: FormatError, of path: String) -> ArtifactResponse?
    /// Beginnings, in lower case, of header fields that no answer depends on.
    var idleFields: [String] { get }
}

extension ArtifactHandler {
    public var idleFields: [String] { [] }
}

/// A request as the web server hands it over, its target parsed and its origin trusted.
public struct IncomingRequest: Sendable {
    /// What `X-Request-ID` says.
    public var id: String
    public var method: HTTPRequest.Method
    public var target: RequestTarget
    public var headers: HTTPFields
    /// `https://host:port` as the client sees it.
    public var origin: String
    /// Set where the request came in at a repository's own `listen:` or `host:`.
    public var ownRoot: RepositoryName?
    public var body: ByteStream
    public var explain: Explain
    public var credentials: Credentials
    /// The address that it came from, as far as proxies are trusted.
    public var client: String
    public var admission: any RequestAdmission

    /// Whether the answer is to be why, and not what was asked for.
    public enum Explain: Hashable, Sendable {
        case not
        /// `local`: by who sits at the machine, with nobody speaking for them.
        case asked(local: Bool)
    }

    public init(
        id: String, method: HTTPRequest.Method, target: RequestTarget, headers: HTTPFields, origin: String, ownRoot: RepositoryName? = nil,
        body: ByteStream, explain: Explain = .not, credentials: Credentials = .none, client: String = "",
        admission: any RequestAdmission = UnlimitedAdmission()
    ) {
        self.admission = admission
        self.credentials = credentials
        self.client = client
        self.explain = explain
        self.id = id
        self.method = method
        self.target = target
        self.headers = headers
        self.origin = origin
        self.ownRoot = ownRoot
        self.body = body
    }
}

/// A response, and what logs, metrics and audit say about it.
public struct RequestOutcome: Sendable {
    public var response: ArtifactResponse
    /// nil where the address leads to no repository that exists.
    public var repository: RepositoryName?
    /// One of a format's few fixed words, or `none`.
    public var operation: String
    public var principal: Principal
    /// What an audit asks beside that.
    public var audit = AuditNote()
    /// What went wrong, for the log.
    public var cause: (any Error)?
    /// How long the same request would be answered alike; nil: not known.
    public var standing: Standing?
    /// The format's body for what the server refuses after it: a range, a condition. nil: plain text.
    public var refuse: (@Sendable (FormatError) -> ArtifactResponse)?

    public init(
        _ response: ArtifactResponse, repository: RepositoryName? = nil, operation: String = "none", principal: Principal = .anonymous(),
        cause: (any Error)? = nil
    ) {
        self.response = response
        self.repository = repository
        self.operation = operation
        self.principal = principal
        self.cause = cause
    }
}
