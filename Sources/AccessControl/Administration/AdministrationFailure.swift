/// Why users and tokens were not changed. The text is for people, and holds no secret.
public struct AdministrationFailure: Error, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// A name, a password, a role or a grant is none.
        case invalid
        case taken
        case absent
        /// Nobody could let others in any more.
        case last
        case busy
        case unavailable
        case cancelled
    }
    public var code: Code
    public var description: String
    public var cause: (any Error)?
    public init(_ code: Code, _ description: String, cause: (any Error)? = nil) {
        self.code = code
        self.description = description
        self.cause = cause
    }

    init(_ failure: AccessFailure) {
        switch failure.code {
        case .cancelled: self.init(.cancelled, failure.message)
        case .busy: self.init(.busy, failure.message)
        case .wrong, .expired, .revoked, .throttled, .unavailable, .tooLong:
            self.init(.unavailable, "users and tokens cannot be changed now; try again", cause: failure.cause ?? failure)
        }
    }
}
