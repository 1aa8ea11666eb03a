import FormatAPI
import HTTPTypes
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// JSON as the API answers it.
enum APIAnswer {
    private struct Refused: Encodable {
        struct Inner: Encodable {
            var code: String
            var message: String
        }
        var error: Inner
    }

    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> ArtifactResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            let bytes = ByteBuffer(bytes: try encoder.encode(value) + [UInt8(ascii: "\n")])
            return ArtifactResponse(status, headers: [.contentType: "application/json", .cacheControl: "no-store"], body: .bytes(bytes))
        } catch {
            // Texts and numbers are always JSON.
            return ArtifactResponse(.internalServerError)
        }
    }

    /// Of every failure: a word for programs, a sentence for people.
    static func refusal(_ error: FormatError) -> ArtifactResponse {
        let (status, code) = Self.wire(error.code)
        var response = Self.json(Refused(error: .init(code: code, message: error.message)), status: status)
        if error.code == .unauthenticated { response.headers[.wwwAuthenticate] = "Basic realm=\"Entrepot\", charset=\"UTF-8\"" }
        if let delay = error.retryAfter { response.headers[.retryAfter] = String(max(1, delay.components.seconds)) }
        return response
    }

    private static func wire(_ code: FormatError.Code) -> (HTTPResponse.Status, String) {
        switch code {
        case .notFound: (.notFound, "notFound")
        case .invalidRequest, .digestMismatch: (.badRequest, "invalidRequest")
        case .methodNotAllowed: (.methodNotAllowed, "methodNotAllowed")
        case .unauthenticated: (.unauthorized, "unauthenticated")
        case .forbidden, .readOnly, .quotaExceeded: (.forbidden, "forbidden")
        case .conflict: (.conflict, "conflict")
        case .preconditionFailed: (.preconditionFailed, "preconditionFailed")
        case .wrongRange: (.rangeNotSatisfiable, "wrongRange")
        case .tooLarge: (.contentTooLarge, "tooLarge")
        case .unsupported: (.unsupportedMediaType, "unsupported")
        case .throttled: (.tooManyRequests, "throttled")
        case .notServed: (.notImplemented, "notServed")
        case .upstreamUnreachable, .upstreamFailed: (.badGateway, "upstream")
        case .upstreamTimedOut: (.gatewayTimeout, "upstream")
        case .unavailable, .cancelled, .noSpace: (.serviceUnavailable, "unavailable")
        case .internalFailure: (.internalServerError, "internal")
        }
    }
}
