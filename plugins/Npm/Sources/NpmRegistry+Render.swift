public import FormatAPI
import HTTPTypes
import NIOCore

extension NpmRegistry {
    /// `{"error": …, "reason": …}`, of which npm prints the first.
    public func render(_ failure: Failure, for head: RequestHead) -> ArtifactResponse {
        let code = failure.error.code
        let message = JSONValue.string(failure.error.message)
        var response = ArtifactResponse.json(.made(["error": message, "reason": message]), status: Self.status(of: code))
        if code == .unauthenticated { response.headers[.wwwAuthenticate] = "Basic realm=\"Entrepot\", charset=\"UTF-8\"" }
        if code == .methodNotAllowed { response.headers[.allow] = Self.methods(head) }
        if let delay = failure.error.retryAfter { response.headers[.retryAfter] = String(max(1, delay.components.seconds)) }
        return response
    }

    private static func methods(_ head: RequestHead) -> String {
        do { return try NpmAddress(head.path).methods.map(\.rawValue).joined(separator: ", ") } catch { return "GET, HEAD" }
    }

    static func status(of code: FormatError.Code) -> HTTPResponse.Status {
        switch code {
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
