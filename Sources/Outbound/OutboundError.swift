/// Why there is no answer, or no more of it.
public struct OutboundError: Error, Sendable {
    public enum Code: Hashable, Sendable {
        /// DNS, refused, unreachable; the egress proxy does not pass it on.
        case unreachable
        case timedOut
        /// The connection ended too early.
        case cut
        case tls
        /// What came is not HTTP.
        case garbage
        /// The operator's rules do not let us connect there.
        case forbidden
        case cancelled
    }
    public var code: Code
    /// For people: without query, user and token.
    public var message: String
    public var cause: (any Error)?
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}
