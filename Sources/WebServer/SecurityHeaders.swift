import FormatAPI
import HTTPTypes
import RepositoryEngine

/// Headers that tell browsers what not to do with an answer.
struct SecurityHeaders: Sendable {
    private let transport: String?

    init(_ configuration: WebServerConfiguration) {
        self.transport = configuration.strictTransport.map { "max-age=\($0.components.seconds)" }
    }

    /// What every answer has. A document that somebody uploaded must never run as a page of this server: it is sandboxed, unless who answers
    /// says otherwise.
    ///
    /// `Strict-Transport-Security` goes out over our own TLS only: whether a proxy's is there to stay is the proxy's to say. RFC 6797, 7.2.
    func apply(to headers: inout HTTPFields, secure: Bool) {
        headers.setIfMissing(.xContentTypeOptions, "nosniff")
        headers.setIfMissing(.contentSecurityPolicy, "sandbox")
        if secure, let transport { headers[.strictTransportSecurity] = transport }
    }
}

extension RequestOutcome {
    /// As a page of the server's own: its scripts and styles are files of this server and nothing else, nobody frames it, and where it was
    /// is not told to whom it links. `X-Frame-Options` is for browsers that do not know `frame-ancestors`.
    var asPage: RequestOutcome {
        var page = self
        page.response.headers.setIfMissing(.contentSecurityPolicy, Self.pagePolicy)
        page.response.headers.setIfMissing(.referrerPolicy, "no-referrer")
        page.response.headers.setIfMissing(.xFrameOptions, "DENY")
        return page
    }

    private static let pagePolicy = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}
