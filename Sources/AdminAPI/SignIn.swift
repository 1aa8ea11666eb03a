import AccessControl
import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import RepositoryEngine

/// The page where people sign in, with `next` for who sent them there.
struct SignIn: Sendable {
    let gate: any Gatekeeper
    let nonce: @Sendable () -> String

    func form(_ request: IncomingRequest, note: String? = nil, name: String = "", status: HTTPResponse.Status = .ok) -> ArtifactResponse {
        guard !self.gate.isOpen else {
            return Page(title: "Sign in", body: "<p>There is no access control here (<code>security.openAccess</code>): nobody signs in.</p>")
                .response(nonce: self.nonce())
        }
        let next = Self.local(request.target.query.first { $0.name == "next" }?.value)
        let body = """
            \(note.map { "<p class=\"note\" role=\"alert\">\(Markup.escaped($0))</p>" } ?? "")
            <form method="post" action="/sign-in?next=\(Self.encoded(next))">
            <label for="name">Name</label><input id="name" name="name" autocomplete="username" required autofocus value="\(Markup.escaped(name))">
            <label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required>
            <button type="submit">Sign in</button></form>
            """
        return Page(title: "Sign in", body: body, status: status).response(nonce: self.nonce())
    }

    /// - Returns: the answer, who it was, and who it was said to be.
    func submit(_ request: IncomingRequest) async throws -> (response: ArtifactResponse, principal: Principal?, claimed: String) {
        guard request.comesFromOurPages(byDefault: true) else { throw FormatError(.forbidden, "this form was not sent by a page of this server") }
        guard let bytes = try await request.body.collect(upTo: FormFields.longest), let fields = FormFields(bytes), let name = fields["name"],
            let password = fields["password"]
        else { throw FormatError(.invalidRequest, "the form wants a name and a password") }
        do {
            let principal = try await self.gate.principal(for: .basic(name: name, secret: password), from: request.client, audience: "")
            let session = try await self.gate.session(for: principal)
            let next = Self.local(request.target.query.first { $0.name == "next" }?.value)
            var response = ArtifactResponse(.seeOther, headers: [.location: next, .cacheControl: "no-store"])
            response.headers[.setCookie] = SessionCookie(request).setting(session)
            return (response, principal, name)
        } catch {
            let failure = FormatError(error)
            guard failure.code == .unauthenticated || failure.code == .throttled else { throw failure }
            var response = self.form(request, note: failure.message, name: name, status: failure.code == .throttled ? .tooManyRequests : .unauthorized)
            if let delay = failure.retryAfter { response.headers[.retryAfter] = String(max(1, delay.components.seconds)) }
            return (response, nil, name)
        }
    }

    func signOut(_ request: IncomingRequest) throws -> ArtifactResponse {
        guard request.comesFromOurPages(byDefault: false) else { throw FormatError(.forbidden, "this form was not sent by a page of this server") }
        return ArtifactResponse(.seeOther, headers: [.location: "/", .setCookie: SessionCookie(request).ending, .cacheControl: "no-store"])
    }

    /// A path of this server; anything else would send who just signed in to a stranger.
    static func local(_ next: String?) -> String {
        guard let next, next.utf8.count <= 2048, next.hasPrefix("/"), !next.hasPrefix("//"), !next.contains("\\"),
            next.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return "/" }
        return next
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = byte.isASCIILetterOrDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
            return isPlain ? String(UnicodeScalar(byte)) : "%" + String(byte >> 4, radix: 16, uppercase: true) + String(byte & 15, radix: 16, uppercase: true)
        }.joined()
    }
}
