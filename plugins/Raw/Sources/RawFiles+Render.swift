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
            ? .document(JSON.text(Failed(error: failure.error.message)) + "\n", type: "application/json", status: code.usualStatus)
            : .document(failure.error.message + "\n", type: "text/plain; charset=utf-8", status: code.usualStatus)
        if failure.challenge != .none { response.headers[.wwwAuthenticate] = "Basic realm=\"Entrepot\", charset=\"UTF-8\"" }
        if code == .methodNotAllowed { response.headers[.allow] = Self.methods(head.path).map(\.rawValue).joined(separator: ", ") }
        if let delay = failure.error.retryAfter { response.headers[.retryAfter] = String(max(1, delay.components.seconds)) }
        return response
    }
}

extension ArtifactResponse {
    static func document(_ text: String, type: String, status: HTTPResponse.Status = .ok) -> ArtifactResponse {
        ArtifactResponse(status, headers: [.contentType: type], body: .bytes(ByteBuffer(string: text)))
    }
}
