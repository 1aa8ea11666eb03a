public import HTTPTypes

extension FormatError.Code {
    /// What HTTP calls it, for formats whose clients expect nothing of their own.
    public var usualStatus: HTTPResponse.Status {
        switch self {
        case .notFound: .notFound
        case .invalidRequest, .digestMismatch: .badRequest
        case .methodNotAllowed: .methodNotAllowed
        case .unauthenticated: .unauthorized
        case .forbidden, .readOnly, .quotaExceeded: .forbidden
        case .conflict: .conflict
        case .preconditionFailed: .preconditionFailed
        case .wrongRange: .rangeNotSatisfiable
        case .tooLarge: .contentTooLarge
        case .unsupported: .unsupportedMediaType
        case .throttled: .tooManyRequests
        case .upstreamUnreachable, .upstreamFailed: .badGateway
        case .upstreamTimedOut: .gatewayTimeout
        case .notServed: .notImplemented
        case .unavailable: .serviceUnavailable
        // nginx' status for a client that hung up: a fault of the server must not be counted for it.
        case .cancelled: HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request")
        case .noSpace: HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
        case .internalFailure: .internalServerError
        }
    }
}
