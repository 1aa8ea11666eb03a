public import ArtifactModel

/// Who somebody is, and what they are given to show it with: all that the engine asks about people.
///
/// Every call may wait for the database or for a password to be hashed; what was verified is remembered for at most a minute.
public protocol Gatekeeper: Sendable {
    /// Whether there is access control at all.
    var isOpen: Bool { get }
    /// Nobody in particular.
    var anonymous: Principal { get }
    /// - Parameters:
    ///   - client: the address that the request came from, proxies that are trusted left out.
    ///   - audience: the root that the request came to: a ticket of another is refused.
    func principal(for credentials: Credentials, from client: String, audience: String) async throws(AccessFailure) -> Principal
    /// Signs what a principal is permitted, for `audience`, for at most five minutes.
    func ticket(for principal: Principal, _ permits: [Permit], catalog: Bool, audience: String) async throws(AccessFailure) -> Ticket
    /// What a client may keep to sign in with again: dead when its user's password changes, or the user or the token it was given for goes.
    func renewal(for principal: Principal) async throws(AccessFailure) -> String
    func principal(renewing renewal: String, from client: String) async throws(AccessFailure) -> Principal
    /// The value of the admin page's cookie; a day at most.
    func session(for principal: Principal) async throws(AccessFailure) -> String
    func principal(inSession session: String) async throws(AccessFailure) -> Principal
}

/// Why it is not known who asks.
public struct AccessFailure: Error, Sendable {
    public enum Code: Hashable, Sendable {
        /// No such user, another password, no token of ours: never told which.
        case wrong
        /// The token was right, and its time is over.
        case expired
        case revoked
        /// Too many failures of this account from this address.
        case throttled
        /// More passwords are to be hashed than may wait.
        case busy
        case unavailable
        /// More is asked for than a ticket can hold.
        case tooLong
        case cancelled
    }
    public var code: Code
    /// For people; says nothing of whether an account exists.
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

/// No access control: whoever asks is nobody in particular.
public struct OpenGate: Gatekeeper {
    public init() {}
    public var isOpen: Bool { true }
    public var anonymous: Principal { .anonymous() }
    public func principal(for credentials: Credentials, from client: String, audience: String) async throws(AccessFailure) -> Principal { self.anonymous }
    public func ticket(for principal: Principal, _ permits: [Permit], catalog: Bool, audience: String) async throws(AccessFailure) -> Ticket {
        throw Self.needless
    }
    public func renewal(for principal: Principal) async throws(AccessFailure) -> String { throw Self.needless }
    public func principal(renewing renewal: String, from client: String) async throws(AccessFailure) -> Principal { throw Self.needless }
    public func session(for principal: Principal) async throws(AccessFailure) -> String { throw Self.needless }
    public func principal(inSession session: String) async throws(AccessFailure) -> Principal { throw Self.needless }
    private static let needless = AccessFailure(.wrong, "there is no access control here, and nothing to sign in to")
}
