public import ArtifactModel

/// What a request failed with, in words that hold for every format. Each format maps the codes to its wire in one exhaustive switch.
public struct FormatError: Error, Sendable {
    public enum Code: Hashable, Sendable, CaseIterable {
        case notFound, invalidRequest, methodNotAllowed, unauthenticated, forbidden, conflict, preconditionFailed, readOnly
        case digestMismatch, wrongRange, tooLarge, unsupported, quotaExceeded, throttled
        /// Configured, and not in this version: 501.
        case notServed
        case upstreamUnreachable, upstreamTimedOut, upstreamFailed, unavailable, noSpace
        /// The client hung up or the server drains. Never counted or logged as a fault.
        case cancelled
        case internalFailure
    }
    public var code: Code
    /// For people: no secret, no host path, no SQL.
    public var message: String
    /// The format's own word for it where it has one, such as OCI's `MANIFEST_BLOB_UNKNOWN`.
    public var detail: String?
    public var retryAfter: Duration?
    /// Goes to the log, never to `render`'s output.
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, detail: String? = nil, retryAfter: Duration? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.detail = detail
        self.retryAfter = retryAfter
        self.cause = cause
    }
}

/// What `render` makes a response of.
public struct Failure: Sendable {
    /// What a client is told that might get on by showing who it is.
    public enum Challenge: Hashable, Sendable {
        /// Nothing: it would not help, or this root never asks.
        case none
        case signIn
        /// What it showed was signed by this server for something else, or has ended: it may ask for another.
        case insufficientScope, invalidToken
    }
    public var error: FormatError
    /// The rights that were missing, or would be needed; a challenge is built from them.
    public var denied: [Access]
    /// Other than `.none` only where the error is `.unauthenticated`.
    public var challenge: Challenge
    public init(_ error: FormatError, denied: [Access] = [], challenge: Challenge = .none) {
        self.error = error
        self.denied = denied
        self.challenge = challenge
    }
}
