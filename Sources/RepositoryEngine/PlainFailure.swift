import FormatAPI
import FoundationEssentials
import HTTPTypes
import NIOCore

extension ArtifactResponse {
    /// JSON for a client that would have a document in it.
    static func plain(_ failure: Failure, for head: RequestHead) -> ArtifactResponse {
        let headers: HTTPFields = failure.challenge == .none ? [:] : [.wwwAuthenticate: "Basic realm=\"Entrepot\", charset=\"UTF-8\""]
        let wantsJSON = head.headers[values: .accept].contains { $0.lowercased().contains("json") }
        guard wantsJSON else { return .plain(failure.error.code.usualStatus, failure.error.message, headers: headers) }
        var response = ArtifactResponse(failure.error.code.usualStatus, headers: headers)
        response.headers[.contentType] = "application/json"
        response.body = .bytes(ByteBuffer(bytes: PlainFailure(error: failure.error.message).json))
        return response
    }
}

private struct PlainFailure: Encodable {
    var error: String

    var json: [UInt8] {
        do {
            return Array(try JSONEncoder().encode(self)) + [UInt8(ascii: "\n")]
        } catch {
            // A text is always JSON.
            return []
        }
    }
}
