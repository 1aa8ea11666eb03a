public import FormatAPI
import HTTPTypes
import NIOCore

extension MavenRepository {
    /// A line of text: Maven shows its user the status and what follows it, curl the body.
    public func render(_ failure: Failure, for head: RequestHead) -> ArtifactResponse {
        let code = failure.error.code
        // A redeployment that is refused is 409 elsewhere; Maven's users know it as 400, and so do the tools that look for it.
        let status = code == .digestMismatch || code == .conflict ? HTTPResponse.Status.badRequest : code.usualStatus
        var response = ArtifactResponse(
            status, headers: [.contentType: "text/plain; charset=utf-8"], body: .bytes(ByteBuffer(string: failure.error.message + "\n")))
        if failure.challenge != .none { response.headers[.wwwAuthenticate] = "Basic realm=\"Entrepot\", charset=\"UTF-8\"" }
        if code == .methodNotAllowed { response.headers[.allow] = "GET, HEAD, PUT, DELETE" }
        if let delay = failure.error.retryAfter { response.headers[.retryAfter] = String(max(1, delay.components.seconds)) }
        return response
    }
}
