public import FormatAPI
import FoundationEssentials
import HTTPTypes
import NIOCore

extension OCIFormat {
    /// Every failure in the envelope that clients read: distribution-spec 1.1, «Error Codes».
    ///
    /// `FormatError.detail` is OCI's code where the failure has one of its own; after a space, the digest that it is about.
    public func render(_ failure: Failure, for head: RequestHead) -> ArtifactResponse {
        let code = failure.error.code
        let wire = Self.wire(code)
        var response = Self.envelope(wire.status, failure.error.detail ?? wire.code, failure.error.message)
        if failure.challenge != .none { response.headers[.wwwAuthenticate] = Challenge(failure: failure, head: head).text }
        if code == .methodNotAllowed, let address = Address(head.path) {
            response.headers[.allow] = address.methods.map(\.rawValue).joined(separator: ", ")
        }
        if let delay = failure.error.retryAfter { response.headers[.retryAfter] = String(max(1, delay.components.seconds)) }
        return response
    }

    /// The status of a failure, and the code it has where nothing better is known.
    static func wire(_ code: FormatError.Code) -> (status: HTTPResponse.Status, code: String) {
        switch code {
        case .notFound: (.notFound, "NAME_UNKNOWN")
        case .invalidRequest: (.badRequest, "UNSUPPORTED")
        case .methodNotAllowed: (.methodNotAllowed, "UNSUPPORTED")
        case .unauthenticated: (.unauthorized, "UNAUTHORIZED")
        case .forbidden, .readOnly, .quotaExceeded: (.forbidden, "DENIED")
        case .conflict: (.conflict, "DENIED")
        case .preconditionFailed: (.preconditionFailed, "UNSUPPORTED")
        case .digestMismatch: (.badRequest, "DIGEST_INVALID")
        case .wrongRange: (.rangeNotSatisfiable, "RANGE_INVALID")
        case .tooLarge: (.contentTooLarge, "SIZE_INVALID")
        case .unsupported: (.badRequest, "UNSUPPORTED")
        case .throttled: (.tooManyRequests, "TOOMANYREQUESTS")
        case .upstreamUnreachable, .upstreamFailed: (.badGateway, "UNAVAILABLE")
        case .upstreamTimedOut: (.gatewayTimeout, "UNAVAILABLE")
        case .notServed: (.notImplemented, "UNSUPPORTED")
        case .unavailable: (.serviceUnavailable, "UNAVAILABLE")
        // nginx' status for a client that hung up: a fault of the server must not be counted for it.
        case .cancelled: (HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request"), "UNAVAILABLE")
        case .noSpace: (HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage"), "UNAVAILABLE")
        case .internalFailure: (.internalServerError, "UNKNOWN")
        }
    }

    private struct Errors: Encodable {
        struct Entry: Encodable {
            var code: String
            var message: String
            var detail: [String: String]?
        }
        var errors: [Entry]
    }

    /// - Parameter word: a code, and after a space the digest it is about.
    static func envelope(_ status: HTTPResponse.Status, _ word: String, _ message: String) -> ArtifactResponse {
        let parts = word.split(separator: " ", maxSplits: 1)
        let entry = Errors.Entry(
            code: parts.first.map(String.init) ?? "UNKNOWN", message: message, detail: parts.count == 2 ? ["digest": String(parts[1])] : nil)
        var response = ArtifactResponse.document(JSON.text(Errors(errors: [entry])), status: status)
        response.headers[.registryVersion] = Self.version
        return response
    }
}

extension JSON {
    /// nil where the text is not what it should be: attributes that another version wrote.
    static func value<T: Decodable>(_ type: T.Type, from text: String) -> T? {
        try? JSONDecoder().decode(type, from: Data(text.utf8))  // absence is the answer, see above
    }
}

extension ArtifactResponse {
    /// A JSON document.
    static func document(_ text: String, status: HTTPResponse.Status = .ok, type: String = "application/json") -> ArtifactResponse {
        ArtifactResponse(status, headers: [.contentType: type], body: .bytes(ByteBuffer(string: text)))
    }
}
