import ArtifactModel
import FormatAPI
import FoundationEssentials
import HTTPTypes

/// Gives docker's clients what they may carry to the registry. distribution's «Token Authentication Specification», and its OAuth2 form.
///
/// Who asks for more than they may have gets what they may have: a refusal here would tell a client that its password is wrong.
struct TokenService {
    let site: any Site
    let links: Links

    private struct Answer: Encodable {
        var token: String
        var accessToken: String
        var expiresIn: Int64
        var issuedAt: String
        var refreshToken: String?
        var scope: String?

        enum CodingKeys: String, CodingKey {
            case token, scope
            case accessToken = "access_token"
            case expiresIn = "expires_in"
            case issuedAt = "issued_at"
            case refreshToken = "refresh_token"
        }
    }

    /// Credentials in `Authorization`, which the engine has looked at by now.
    func answer(_ head: RequestHead) async throws -> ArtifactResponse {
        let scopes = Scope.all(in: head.query.filter { $0.name == "scope" }.map(\.value))
        return try await self.answer(self.site, scopes, withRenewal: head.query("offline_token") == "true", telling: false)
    }

    /// Credentials in the form.
    func answer(_ request: ArtifactRequest) async throws -> ArtifactResponse {
        guard let body = try await request.body.collect(upTo: FormFields.longest), let form = FormFields(body) else {
            throw FormatError(.invalidRequest, "the body is to be a form: grant_type, service, scope, and what the grant needs")
        }
        let scopes = Scope.all(in: form.all("scope"))
        let isOffline = form["access_type"] == "offline"
        switch form["grant_type"] {
        case "password":
            guard let name = form["username"], let secret = form["password"] else {
                throw FormatError(.invalidRequest, "grant_type password wants username and password")
            }
            return try await self.answer(try await self.site.signedIn(name, secret: secret), scopes, withRenewal: isOffline, telling: true)
        case "refresh_token":
            guard let renewal = form["refresh_token"] else { throw FormatError(.invalidRequest, "grant_type refresh_token wants refresh_token") }
            let site = try await self.site.signedIn(renewal: renewal)
            var answer = try await self.granted(site, scopes, telling: true)
            // It goes on to be good: rotated, the second of two clients that share a configuration would be shut out.
            answer.refreshToken = renewal
            return Self.response(answer)
        default: throw FormatError(.invalidRequest, "grant_type is password or refresh_token")
        }
    }

    private func answer(_ site: any Site, _ scopes: [Scope], withRenewal: Bool, telling: Bool) async throws -> ArtifactResponse {
        var answer = try await self.granted(site, scopes, telling: telling)
        if withRenewal, !site.principal.isEmpty { answer.refreshToken = try await site.renewal() }
        return Self.response(answer)
    }

    private func granted(_ site: any Site, _ scopes: [Scope], telling: Bool) async throws -> Answer {
        var permits: [Permit] = []
        var granted: [Scope] = []
        for scope in scopes {
            switch scope.resource {
            case .catalog: granted.append(scope)
            case .image(let image):
                guard var permit = self.permit(image, scope.actions) else { continue }
                permit.actions = site.allowed(permit)
                guard !permit.actions.isEmpty else { continue }
                permits.append(permit)
                granted.append(Scope(.image(image), permit.actions))
            }
        }
        let ticket = try await site.ticket(permits, catalog: scopes.contains { $0.resource == .catalog })
        let issued = Date(timeIntervalSince1970: Double(ticket.issued.milliseconds / 1000)).formatted(.iso8601)
        return Answer(
            token: ticket.text, accessToken: ticket.text, expiresIn: ticket.lifetime.components.seconds, issuedAt: issued,
            scope: telling ? granted.map(\.description).joined(separator: " ") : nil)
    }

    /// Which repository's image a client means by this name at this root: decided as for the requests that it will make.
    private func permit(_ image: ImageName, _ actions: [Action]) -> Permit? {
        let path = self.links.base + image.text.split(separator: "/").map(String.init) + ["tags", "list"]
        guard let (repository, rest) = self.site.destination(of: path), let address = Address(rest), case .tags = address.place,
            let name = try? ImageName(address.image)  // no image, nothing to permit
        else { return nil }
        return Permit(repository: repository, path: name.text, actions: actions)
    }

    private static func response(_ answer: Answer) -> ArtifactResponse {
        var response = ArtifactResponse.document(JSON.text(answer))
        response.headers[.cacheControl] = "no-store"
        return response
    }
}
