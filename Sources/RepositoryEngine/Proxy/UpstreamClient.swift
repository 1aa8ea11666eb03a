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
    /// One for each remote, the canonical one first.
    public var sites: [Site] = []
    public init() {}

    /// How a remote is.
    public struct Site: Hashable, Sendable {
        public enum Breaker: Int, Hashable, Sendable { case closed = 0, halfOpen = 1, open = 2 }
        /// Scheme and host.
        public var origin: String
        public var breaker: Breaker
        /// Until the head of an answer, smoothed; nil: it has not answered yet.
        public var latency: Duration?
        /// What it said last of how many requests it permits; nil: nothing.
        public var budget: RateBudget?
        public init(origin: String, breaker: Breaker, latency: Duration?, budget: RateBudget?) {
            self.origin = origin
            self.breaker = breaker
            self.latency = latency
            self.budget = budget
        }
    }
}

/// What an upstream says of its rate limit: `ratelimit-limit: 100;w=21600` and `ratelimit-remaining: 76;w=21600`, as Docker Hub does.
public struct RateBudget: Hashable, Sendable {
    public var limit: Int64
    public var remaining: Int64
    /// In seconds; 0: not said.
    public var window: Int64

    public init(limit: Int64, remaining: Int64, window: Int64) {
        self.limit = limit
        self.remaining = remaining
        self.window = window
    }

    /// nil: the answer does not say both.
    public init?(_ headers: HTTPFields) {
        guard let limit = Self.figure(headers, "ratelimit-limit"), let remaining = Self.figure(headers, "ratelimit-remaining") else { return nil }
        self.init(limit: limit.count, remaining: remaining.count, window: limit.window)
    }

    private static func figure(_ headers: HTTPFields, _ name: String) -> (count: Int64, window: Int64)? {
        guard let field = HTTPField.Name(name), let text = headers[field] else { return nil }
        let parts = text.split(separator: ";").map { $0.trimmed }
        guard let count = parts.first.flatMap(Self.number) else { return nil }
        let window = parts.dropFirst().first { $0.hasPrefix("w=") }.flatMap { Self.number($0.dropFirst(2)) }
        return (count, window ?? 0)
    }

    private static func number(_ text: Substring) -> Int64? {
        guard (1...12).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text)
    }
}

extension Substring {
    fileprivate var trimmed: Substring { self.drop { $0 == " " }.prefix { $0 != " " } }
}

extension UpstreamAnswer {
    /// Whether it can be an answer to what was asked for: not a web page in the place of a file, and the like. RFC 9110, 14.4.
    /// - Throws: `.trouble(.badAnswer)`.
    public func check(for resource: UpstreamResource) throws(UpstreamError) { _ = try AnswerHead(self, for: resource) }
}

extension ContentRequest {
    var kind: UpstreamRequest.Kind { !self.expecting.isEmpty ? .verified : self.change == .immutable ? .immutable : .mutable }
}

extension UpstreamClient {
    public func fullName(_ name: String) -> String { name }
}

public struct UpstreamRequest: Sendable {
    /// What may be asked of whom: mirrors are no judges of what moves.
    public enum Kind: Hashable, Sendable {
        /// A name or listing whose answer changes.
        case mutable
        /// A file that never changes, and that nothing here can check.
        case immutable
        /// Bytes whose digest is known, whoever sends them.
        case verified
    }
    public enum Part: Hashable, Sendable {
        case whole
        /// To the end, or to `to`, exclusive.
        case from(Int64, to: Int64?)
    }
    /// GET or HEAD; POST with `post`.
    public var method: HTTPRequest.Method
    public var resource: UpstreamResource
    public var part: Part
    /// With a part: what the answer must still be, else the whole comes (`If-Range`). Without: what it must not be any more
    /// (`If-None-Match`, `If-Modified-Since`).
    public var validators: Validators?
    public var kind: Kind
    /// What is sent with it, of the whole.
    public var post: UpstreamCall.Post?

    /// A question whose answer is not kept.
    public init(_ call: UpstreamCall) {
        self.init(call.post == nil ? .get : .post, call.resource)
        self.post = call.post
    }

    public init(_ method: HTTPRequest.Method = .get, _ resource: UpstreamResource, part: Part = .whole, validators: Validators? = nil, kind: Kind = .mutable) {
        self.kind = kind
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
    /// To be called where the bytes turn out not to be what their digest says: whoever sent them is asked last for a while.
    public var reproach: @Sendable () -> Void
    public init(status: HTTPResponse.Status, headers: HTTPFields, body: ByteStream, reproach: @escaping @Sendable () -> Void = {}) {
        self.reproach = reproach
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
    /// 403 for this one thing, to us as we are: says nothing about others.
    case denied
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
