public import FormatAPI
import HTTPTypes
import NIOCore

extension RawFiles {
    private struct Failed: Encodable { var error: String }

    /// A line of text; `{"error": …}` for those who would rather have JSON.
    public func render(_ failure: Failure, for head: RequestHead) -> ArtifactResponse {
        let code = failure.error.code
        let asJSON = Preference(head.headers).prefers("application/json", to: "text/plain")
        var response: ArtifactResponse =
            asJSON
            ? .document(JSON.text(Failed(error: failure.error.message)) + "\n", type: "application/json", status: Self.status(of: code))
            : .document(failure.error.message + "\n", type: "text/plain; charset=utf-8", status: Self.status(of: code))
        if failure.challenge != .none { response.headers[.wwwAuthenticate] = "Basic realm=\"Entrepot\", charset=\"UTF-8\"" }
        if code == .methodNotAllowed { response.headers[.allow] = Self.methods(head.path).map(\.rawValue).joined(separator: ", ") }
        if let delay = failure.error.retryAfter { response.headers[.retryAfter] = String(max(1, delay.components.seconds)) }
        return response
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

extension ArtifactResponse {
    static func document(_ text: String, type: String, status: HTTPResponse.Status = .ok) -> ArtifactResponse {
        ArtifactResponse(status, headers: [.contentType: type], body: .bytes(ByteBuffer(string: text)))
    }
}
