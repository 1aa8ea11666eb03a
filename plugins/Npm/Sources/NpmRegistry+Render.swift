public import FormatAPI
import HTTPTypes
import NIOCore

extension NpmRegistry {
    /// `{"error": …, "reason": …}`, of which npm prints the first.
    public func render(_ failure: Failure, for head: RequestHead) -> ArtifactResponse {
        let code = failure.error.code
        let message = JSONValue.string(failure.error.message)
        var response = ArtifactResponse.json(.made(["error": message, "reason": message]), status: code.usualStatus)
        if code == .unauthenticated { response.headers[.wwwAuthenticate] = "Basic realm=\"Entrepot\", charset=\"UTF-8\"" }
        if code == .methodNotAllowed { response.headers[.allow] = Self.methods(head) }
        if let delay = failure.error.retryAfter { response.headers[.retryAfter] = String(max(1, delay.components.seconds)) }
        return response
    }

    private static func methods(_ head: RequestHead) -> String {
        do { return try NpmAddress(head.path).methods.map(\.rawValue).joined(separator: ", ") } catch { return "GET, HEAD" }
    }
}
