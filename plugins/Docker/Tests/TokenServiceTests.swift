import AccessControl
import ArtifactModel
import FormatAPI
import FormatTestKit
import FoundationEssentials
import HTTPTypes
import NIOCore
import Testing

@testable import DockerFormat

@Suite("The token service")
struct TokenServiceTests {
    private struct Answer: Decodable {
        var token: String
        var accessToken: String
        var expiresIn: Int
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

    private func site() async throws -> TestSite {
        let cast = try Cast("local", path: "team/**")
        return try await TestSite.make(
            OCIFormat(), site: OCISiteSettings(defaultRepository: try RepositoryName("local")),
            [
                .init("local", settings: OCISettings()), .init("other", settings: OCISettings()),
                try .group("all", of: ["local", "other"], writeTo: "local", settings: OCISettings()),
            ], authorizer: cast.authorizer, gate: cast.gate)
    }

    private func token(_ query: String, _ person: String, of site: TestSite, root: String = "/v2") async throws -> Answer {
        let answer = try await site.ask(.get, "\(root)/_token?\(query)", as: person)
        #expect(answer.status == .ok, "\(answer.text)")
        #expect(answer.headers[.cacheControl] == "no-store")
        return try JSONDecoder().decode(Answer.self, from: Data(answer.body.readableBytesView))
    }

    @Test("who asks for more than they may have gets what they may have, and is then told which scope is missing")
    func subset() async throws {
        let site = try await self.site()
        try await site.pushed("team/app", by: "writer")
        let token = try await self.token("service=x&scope=repository:team/app:pull,push", "reader", of: site)
        #expect(token.token == token.accessToken && token.expiresIn == 300 && token.issuedAt == "2027-01-15T08:00:00Z" && token.refreshToken == nil)
        #expect(try await site.ask(.get, "/v2/team/app/tags/list", with: .bearer(token.token)).status == .ok)
        let push = try await site.ask(.post, "/v2/team/app/blobs/uploads/", with: .bearer(token.token))
        #expect(push.status == .unauthorized)
        #expect(push.headers[.wwwAuthenticate]?.contains(#"scope="repository:team/app:pull,push",error="insufficient_scope""#) == true)
        let other = try await site.ask(.get, "/v2/team/other/tags/list", with: .bearer(token.token))
        #expect(other.headers[.wwwAuthenticate]?.contains(#"scope="repository:team/other:pull",error="insufficient_scope""#) == true)
    }

    @Test("a token is good at the root it was asked at, by either name of the image, and at no other root")
    func roots() async throws {
        let site = try await self.site()
        try await site.pushed("team/app", by: "writer")
        for scope in ["repository:team/app:pull", "repository:local/team/app:pull", "repository:x/y:pull repository:team/app:pull"] {
            let token = try await self.token("scope=\(scope.replacing(" ", with: "%20"))", "reader", of: site)
            #expect(try await site.ask(.get, "/v2/team/app/tags/list", with: .bearer(token.token)).status == .ok, "\(scope)")
            #expect(try await site.ask(.get, "/v2/local/team/app/tags/list", with: .bearer(token.token)).status == .ok, "\(scope)")
            let elsewhere = try await site.ask(.get, "/repository/local/v2/team/app/tags/list", with: .bearer(token.token))
            #expect(elsewhere.status == .unauthorized)
            #expect(elsewhere.headers[.wwwAuthenticate]?.contains(#"error="invalid_token""#) == true)
        }
        let own = try await self.token("scope=repository:team/app:pull", "reader", of: site, root: "/repository/local/v2")
        #expect(try await site.ask(.get, "/repository/local/v2/team/app/tags/list", with: .bearer(own.token)).status == .ok)
    }

    @Test("through a group a token reads by the group's right and writes by the member's")
    func group() async throws {
        let site = try await self.site()
        let token = try await self.token("scope=repository:all/team/app:pull,push", "writer", of: site)
        // `writer` has no right to read the group, and every right in the member that it writes to.
        #expect(try await site.ask(.post, "/v2/all/team/app/blobs/uploads/", with: .bearer(token.token)).status == .accepted)
        #expect(try await site.ask(.get, "/v2/all/team/app/tags/list", with: .bearer(token.token)).status == .unauthorized)
    }

    @Test(
        "what is no scope that could be granted gives a token without it",
        arguments: [
            "", "scope=", "scope=repository", "scope=repository::pull", "scope=repository:UPPER:pull", "scope=repository:a:fly", "scope=plugin:a:pull",
            "scope=registry:other:*", "scope=repository:nobody/../x:pull", "scope=%00", "scope=repository:a:", "scope=:::",
        ])
    func nonsense(query: String) async throws {
        let site = try await self.site()
        let token = try await self.token(query, "writer", of: site)
        #expect(try await site.ask(.get, "/v2/a/tags/list", with: .bearer(token.token)).status == .unauthorized)
        #expect(try await site.ask(.get, "/v2/", with: .bearer(token.token)).status == .ok)
    }

    @Test("nobody in particular gets a token for what everybody may have, and is asked to sign in at the base all the same")
    func anonymous() async throws {
        let site = try await self.site()
        let token = try await self.token("scope=repository:team/app:pull", "none", of: site)
        #expect(try await site.ask(.get, "/v2/team/app/tags/list", with: .bearer(token.token)).status == .unauthorized)
        let base = try await site.ask(.get, "/v2/", as: "none")
        #expect(base.status == .unauthorized)
        #expect(base.headers[.wwwAuthenticate] == #"Bearer realm="http://localhost/v2/_token",service="localhost""#)
        #expect(try await site.ask(.get, "/v2/", with: .bearer(token.token)).status == .unauthorized)
        #expect(try await site.ask(.get, "/v2/", as: "stranger").status == .ok)
        #expect(try await site.ask(.get, "/v2/_token", as: "wrong").status == .unauthorized)
    }

    @Test("a catalog is read with a token for it, and without one the scope is named")
    func catalog() async throws {
        let site = try await self.site()
        try await site.pushed("team/app", by: "writer")
        let token = try await self.token("scope=registry:catalog:*", "reader", of: site)
        #expect(try await site.ask(.get, "/v2/_catalog", with: .bearer(token.token)).text == #"{"repositories":["local/team/app"]}"#)
        #expect(try await site.ask(.get, "/v2/team/app/tags/list", with: .bearer(token.token)).status == .unauthorized)
        let without = try await self.token("", "reader", of: site)
        let refused = try await site.ask(.get, "/v2/_catalog", with: .bearer(without.token))
        #expect(refused.headers[.wwwAuthenticate]?.hasSuffix(#"scope="registry:catalog:*",error="insufficient_scope""#) == true)
    }

    @Test(
        "the OAuth2 form takes passwords and refresh tokens, which go on to be good",
        arguments: [
            ("grant_type=password&username=reader&password=right&scope=repository:team/app:pull+repository:x:push", 200, nil),
            ("grant_type=password&username=reader&password=right&access_type=offline&scope=repository:team/app:pull", 200, "renewal-reader"),
            ("grant_type=refresh_token&refresh_token=renewal-reader&scope=repository:team/app:pull", 200, "renewal-reader"),
            ("grant_type=refresh_token&refresh_token=renewal-nobody", 401, nil), ("grant_type=password&username=reader&password=wrong", 401, nil),
            ("grant_type=password&username=reader", 400, nil), ("grant_type=refresh_token", 400, nil), ("grant_type=magic", 400, nil), ("", 400, nil),
            ("grant_type=%zz", 400, nil),
        ] as [(String, Int, String?)])
    func form(body: String, status: Int, renewal: String?) async throws {
        let site = try await self.site()
        let answer = try await site.ask(.post, "/v2/_token", body, type: "application/x-www-form-urlencoded", as: "none")
        #expect(answer.status.code == status, "\(answer.text)")
        guard status == 200 else { return }
        let token = try JSONDecoder().decode(Answer.self, from: Data(answer.body.readableBytesView))
        #expect(token.refreshToken == renewal)
        #expect(token.scope == "repository:team/app:pull")
        try await site.pushed("team/app", by: "writer")
        #expect(try await site.ask(.get, "/v2/team/app/tags/list", with: .bearer(token.token)).status == .ok)
    }

    @Test("offline tokens are for somebody")
    func offline() async throws {
        let site = try await self.site()
        #expect(try await self.token("offline_token=true", "reader", of: site).refreshToken == "renewal-reader")
        #expect(try await self.token("offline_token=true", "none", of: site).refreshToken == nil)
    }

    @Test(
        "scopes are read as clients write them, and anything else is none",
        arguments: [
            ("repository:a/b:pull", "repository:a/b:pull"), ("repository(plugin):a:push,pull,push", "repository:a:push,pull"),
            ("repository:a:*", "repository:a:pull,push,delete"), ("registry:catalog:*", "registry:catalog:*"), ("repository:a:b:pull", nil),
            ("x", nil), ("a:b", nil), ("repository:-:pull", nil),
        ] as [(String, String?)])
    func scopes(text: String, expected: String?) { #expect(Scope(text[...])?.description == expected) }
}

extension TestSite {
    fileprivate func pushed(_ image: String, by person: String) async throws {
        for blob in ["{}", "layer"] { try await self.expect(201, person, .post, "/v2/\(image)/blobs/uploads/?digest=\(try digest(blob))", blob) }
        try await self.expect(201, person, .put, "/v2/\(image)/manifests/1", try DockerFormatTests.image(), type: imageType)
    }
}
