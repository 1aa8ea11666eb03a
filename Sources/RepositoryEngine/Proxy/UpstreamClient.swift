public import ArtifactModel
public import FormatAPI
public import HTTPTypes

/// One repository's way to its upstream: addresses, credentials, redirects and mirrors are behind it. Safe to use from many tasks.
public protocol UpstreamClient: Sendable {
    /// Returns when the head of the answer is there, which has status 200, 206, 304 or 416; its body is pulled after.
    /// - Throws: `.absent` for a miss; everything else is trouble.
    func send(_ request: UpstreamRequest) async throws(UpstreamError) -> UpstreamAnswer
    /// See `RepositoryContent.fullName`.
    func fullName(_ name: String) -> String
    /// For people, in logs and traces: scheme and host, without what may be secret.
    var name: String { get }
    var figures: UpstreamFigures { get }
}

/// What an upstream has been asked and has given, since the start.
public struct UpstreamFigures: Hashable, Sendable {
    /// By what became of them: `ok`, `notModified`, `absent`, `cancelled`, and the names of troubles.
    public var requests: [String: Int64] = [:]
    /// Of bodies.
    public var bytes: Int64 = 0
    public init() {}
}

extension UpstreamClient {
    public func fullName(_ name: String) -> String { name }
}

public struct UpstreamRequest: Sendable {
    public enum Part: Hashable, Sendable {
        case whole
        /// To the end, or to `to`, exclusive.
        case from(Int64, to: Int64?)
    }
    /// GET or HEAD.
    public var method: HTTPRequest.Method
    public var resource: UpstreamResource
    public var part: Part
    /// With a part: what the answer must still be, else the whole comes (`If-Range`). Without: what it must not be any more
    /// (`If-None-Match`, `If-Modified-Since`).
    public var validators: Validators?

    public init(_ method: HTTPRequest.Method = .get, _ resource: UpstreamResource, part: Part = .whole, validators: Validators? = nil) {
        self.method = method
        self.resource = resource
        self.part = part
        self.validators = validators
    }
}

public struct Validators: Hashable, Sendable {
    /// With its quotes; empty: none.
    public var entityTag: String
    /// As it came; empty: none.
    public var lastModified: String
    public init(entityTag: String, lastModified: String) {
        self.entityTag = entityTag
        self.lastModified = lastModified
    }
}

/// The head of an upstream's answer, and its body to be pulled. Letting go of it without pulling the body to its end hangs up.
public struct UpstreamAnswer: Sendable {
    public var status: HTTPResponse.Status
    public var headers: HTTPFields
    /// Throws `UpstreamError`.
    public var body: ByteStream
    public init(status: HTTPResponse.Status, headers: HTTPFields, body: ByteStream) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// What may be wrong with an upstream, beside not having what was asked for.
public enum Trouble: Hashable, Sendable, CaseIterable {
    /// DNS, refused, unreachable.
    case unreachable
    case timedOut
    /// The connection broke in the middle.
    case cut
    case tls
    /// The credentials are not taken, by the upstream or by its token service.
    case unauthorized
    /// 429, 503 with a delay.
    case throttled
    /// It is left alone after its last troubles, and was not asked.
    case paused
    /// 5xx, and other statuses that say nothing about the thing that was asked for.
    case failed
    /// An HTML page in the place of a blob, a redirect that leads nowhere, a wrong range.
    case badAnswer
    /// The operator's rules for outbound connections forbid the address.
    case forbidden
}

public struct UpstreamError: Error, Sendable {
    public enum Code: Hashable, Sendable {
        /// 404, 410, or a refusal after a token was issued: there is no such thing.
        case absent
        case trouble(Trouble)
        /// The asker went. Never counted or logged as a fault.
        case cancelled
    }
    public var code: Code
    /// For people: host and status, never a secret, a query or user information.
    public var message: String
    public var retryAfter: Duration?
    public var cause: (any Error)?
    public init(_ code: Code, _ message: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
        self.cause = cause
    }
}
