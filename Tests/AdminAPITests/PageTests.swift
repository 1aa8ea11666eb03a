import AccessControl
import AdminAPI
import ArtifactModel
import FormatAPI
import FormatTestKit
import Foundation
import HTTPTypes
import NIOCore
import RepositoryEngine
import StorageAPI
import Synchronization
import Testing

/// Keeps what was asked of it.
private final class Desk: TokenDesk {
    private let kept = Mutex<[TokenRecord]>([])

    func tokens(ownedBy owner: String) async throws -> [TokenRecord] { self.kept.withLock { $0.filter { $0.owner == owner } } }

    func makeToken(_ name: String, for owner: String, grants: [String], lifetime: String?) async throws -> (text: String, token: TokenRecord) {
        let moment = Timestamp(milliseconds: 1_800_000_000_000)
        let token = self.kept.withLock { kept in
            let token = TokenRecord(
                id: Int64(kept.count + 1), owner: owner, name: name, hash: [], grants: grants, created: moment, createdBy: owner, expires: nil)
            kept.append(token)
            return token
        }
        return ("entrepot_secret", token)
    }

    func revokeToken(_ id: Int64, of owner: String) async throws -> Bool {
        self.kept.withLock { kept in
            let before = kept.count
            kept.removeAll { $0.id == id && $0.owner == owner }
            return kept.count < before
        }
    }
}

private struct Server {
    let pages: ServerPages

    init() throws {
        var people: [Credentials: Principal] = [
            .basic(name: "ann", secret: "right"): Principal(name: "ann", roles: ["watcher"], basis: .password(epoch: [1])),
            .basic(name: "bob", secret: "right"): Principal(name: "bob", basis: .password(epoch: [2])),
        ]
        let token = Principal(name: "ann", roles: ["watcher"], means: .token(id: 1, name: "ci"), basis: .token(id: 1))
        for credentials in [Credentials.bearer("entrepot_x"), .basic(name: "ann", secret: "entrepot_x")] { people[credentials] = token }
        self.pages = ServerPages(
            gate: ScriptedGate(people), authorizer: GrantAuthorizer(roles: ["watcher": [try Grant("system:metrics")]]), desk: Desk())
    }

    func request(
        _ method: HTTPRequest.Method, _ target: String, _ body: String = "", headers: HTTPFields = [:], origin: String = "http://localhost",
        as credentials: Credentials = .none
    ) throws -> IncomingRequest {
        IncomingRequest(
            id: "test", method: method, target: try RequestTarget(target), headers: headers, origin: origin,
            body: .chunks(body.isEmpty ? [] : [ByteBuffer(string: body)]), credentials: credentials, client: "127.0.0.1")
    }

    func ask(
        _ method: HTTPRequest.Method, _ target: String, _ body: String = "", headers: HTTPFields = [:], origin: String = "http://localhost",
        as credentials: Credentials = .none
    ) async throws -> RequestOutcome {
        let request = try self.request(method, target, body, headers: headers, origin: origin, as: credentials)
        return try #require(await self.pages.answer(request), "\(method) \(target) is no page")
    }
}

private func text(_ outcome: RequestOutcome) -> String {
    if case .bytes(let bytes) = outcome.response.body { String(buffer: bytes) } else { "" }
}

@Suite("The server's own pages")
struct PageTests {
    private static let form = "name=ann&password=right"

    @Test(
        "who signs in gets a cookie that no script and no other site can use, and is led to where they came from",
        arguments: [
            ("http://localhost", "/sign-in", "/", "entrepot=session-ann; Path=/; HttpOnly; SameSite=Lax"),
            ("https://host", "/sign-in?next=/api/v1/me", "/api/v1/me", "__Host-entrepot=session-ann; Path=/; HttpOnly; SameSite=Lax; Secure"),
            ("http://localhost", "/sign-in?next=//evil.example", "/", nil), ("http://localhost", "/sign-in?next=https://evil.example/", "/", nil),
            ("http://localhost", "/sign-in?next=/%5Cevil.example", "/", nil), ("http://localhost", "/sign-in?next=/a%0D%0ASet-Cookie:x", "/", nil),
            ("http://localhost", "/sign-in?next=/a%20b", "/", nil),
        ] as [(String, String, String, String?)])
    func signIn(origin: String, target: String, next: String, cookie: String?) async throws {
        let answer = try await Server().ask(.post, target, Self.form, headers: [.origin: origin], origin: origin)
        #expect(answer.response.status == .seeOther && answer.response.headers[.location] == next)
        if let cookie { #expect(answer.response.headers[.setCookie] == cookie) }
        #expect(answer.audit.isLogin && answer.principal.name == "ann" && answer.audit.rule.isEmpty)
    }

    @Test("a wrong password is told on the page, what was typed is escaped, and the trail knows of it")
    func wrong() async throws {
        let server = try Server()
        let answer = try await server.ask(.post, "/sign-in", "name=%3Cscript%3E%22&password=wrong")
        #expect(answer.response.status == .unauthorized && answer.response.headers[.setCookie] == nil)
        #expect(text(answer).contains("&lt;script&gt;&quot;") && !text(answer).contains("<script>"))
        #expect(answer.audit.isLogin && answer.audit.rule == "credentials" && answer.principal.isAnonymous)
        #expect(answer.response.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
        for body in ["", "name=ann", "%zz"] { #expect(try await server.ask(.post, "/sign-in", body).response.status == .badRequest) }
    }

    @Test("a form that another site sent signs nobody in or out")
    func otherSite() async throws {
        let server = try Server()
        let site = try #require(HTTPField.Name("Sec-Fetch-Site"))
        for headers: HTTPFields in [[.origin: "http://evil.example"], [site: "cross-site"], [site: "same-site", .origin: "http://localhost"]] {
            #expect(try await server.ask(.post, "/sign-in", Self.form, headers: headers).response.status == .forbidden)
            #expect(try await server.ask(.post, "/sign-out", headers: headers).response.status == .forbidden)
        }
        #expect(try await server.ask(.post, "/sign-out").response.status == .forbidden)
        let out = try await server.ask(.post, "/sign-out", headers: [.origin: "http://localhost"])
        #expect(out.response.status == .seeOther && out.response.headers[.setCookie]?.contains("Max-Age=0") == true)
    }

    @Test("the cookie says who it is, changes by it come from our pages, and a forged or secure-only one is nobody's")
    func session() async throws {
        let server = try Server()
        let cookie: HTTPFields = [.cookie: "a=b; entrepot=session-ann"]
        #expect(text(try await server.ask(.get, "/api/v1/me", headers: cookie)) == #"{"means":"session","name":"ann","roles":["watcher"]}"# + "\n")
        #expect(text(try await server.ask(.get, "/", headers: cookie)).contains("<code>ann</code>"))
        #expect(try await server.ask(.get, "/api/v1/me", headers: [.cookie: "entrepot=session-eve"]).response.status == .unauthorized)
        #expect(try await server.ask(.get, "/api/v1/me", headers: cookie, origin: "https://localhost").response.status == .unauthorized)
        let body = #"{"name":"ci"}"#
        #expect(try await server.ask(.post, "/api/v1/tokens", body, headers: cookie).response.status == .forbidden)
        var own = cookie
        own[.origin] = "http://localhost"
        #expect(try await server.ask(.post, "/api/v1/tokens", body, headers: own).response.status == .created)
    }

    @Test("a token that was found makes no others, by way of the form either")
    func foundToken() async throws {
        let server = try Server()
        let signedIn = try await server.ask(.post, "/sign-in", "name=ann&password=entrepot_x")
        let cookie = try #require(signedIn.response.headers[.setCookie]?.prefix { $0 != ";" })
        #expect(cookie == "entrepot=session-ann-1")
        let own: HTTPFields = [.cookie: String(cookie), .origin: "http://localhost"]
        #expect(try await server.ask(.get, "/api/v1/tokens", headers: own).response.status == .ok)
        #expect(try await server.ask(.post, "/api/v1/tokens", #"{"name":"forever"}"#, headers: own).response.status == .forbidden)
        #expect(try await server.ask(.delete, "/api/v1/tokens/1", headers: own).response.status == .forbidden)
    }

    @Test("what is refused is a login in the trail, with the name that was claimed, and a stranger's page sends nothing with a remembered password")
    func refusals() async throws {
        let server = try Server()
        let form = try await server.ask(.post, "/sign-in", "name=ann&password=wrong")
        #expect(form.audit.isLogin && form.audit.rule == "credentials" && form.audit.claimedName == "ann")
        let api = try await server.ask(.get, "/api/v1/me", as: .basic(name: "ann", secret: "wrong"))
        #expect(api.audit.isLogin && api.audit.rule == "credentials" && api.response.status == .unauthorized)
        let stranger = try await server.ask(
            .post, "/api/v1/tokens", #"{"name":"x"}"#, headers: [.origin: "http://evil.example"], as: .basic(name: "ann", secret: "right"))
        #expect(stranger.response.status == .forbidden)
    }

    @Test("tokens are made, listed and revoked by their owner, with a password and not with a token, and the trail says so")
    func tokens() async throws {
        let server = try Server()
        let (ann, bob, token) = (
            Credentials.basic(name: "ann", secret: "right"), Credentials.basic(name: "bob", secret: "right"), Credentials.bearer("entrepot_x")
        )
        let made = try await server.ask(.post, "/api/v1/tokens", #"{"name":"ci","grants":["read:files"],"expiresIn":"90d"}"#, as: ann)
        #expect(made.response.status == .created && text(made).contains(#""token":"entrepot_secret""#) && made.audit.change == "made token 1 «ci»")
        let list = try await server.ask(.get, "/api/v1/tokens", as: token)
        #expect(text(list).contains(#""name":"ci""#) && !text(list).contains("entrepot_secret") && list.audit.change.isEmpty)
        #expect(text(try await server.ask(.get, "/api/v1/tokens", as: bob)) == "[]\n")
        #expect(try await server.ask(.post, "/api/v1/tokens", #"{"name":"x"}"#, as: token).response.status == .forbidden)
        #expect(try await server.ask(.delete, "/api/v1/tokens/1", as: bob).response.status == .notFound)
        #expect(try await server.ask(.delete, "/api/v1/tokens/1", as: token).response.status == .forbidden)
        let ended = try await server.ask(.delete, "/api/v1/tokens/1", as: ann)
        #expect(ended.response.status == .noContent && ended.audit.change == "revoked token 1")
        #expect(try await server.ask(.delete, "/api/v1/tokens/x", as: ann).response.status == .notFound)
        for body in ["", "{}", "[1]", #"{"name":1}"#] { #expect(try await server.ask(.post, "/api/v1/tokens", body, as: ann).response.status == .badRequest) }
        #expect(try await server.ask(.post, "/api/v1/tokens", String(repeating: " ", count: 20_000), as: ann).response.status == .contentTooLarge)
    }

    @Test("the API asks for credentials in its own words, and says what it has")
    func api() async throws {
        let server = try Server()
        let nobody = try await server.ask(.get, "/api/v1/me")
        #expect(nobody.response.status == .unauthorized && nobody.response.headers[.wwwAuthenticate]?.hasPrefix("Basic") == true)
        #expect(text(nobody) == #"{"error":{"code":"unauthenticated","message":"sign in, or send a token"}}"# + "\n")
        #expect(try await server.ask(.get, "/api/v1/nothing", as: .basic(name: "bob", secret: "right")).response.status == .notFound)
        let document = try JSONSerialization.jsonObject(with: Data(text(try await server.ask(.get, "/api/v1/openapi.json")).utf8)) as? [String: Any]
        #expect((document?["paths"] as? [String: Any])?.keys.sorted() == ["/api/v1/me", "/api/v1/tokens", "/api/v1/tokens/{id}"])
    }

    @Test("metrics are for who has the right to them")
    func metrics() async throws {
        let server = try Server()
        for (credentials, may) in [
            (Credentials.none, false), (.basic(name: "bob", secret: "right"), false), (.basic(name: "ann", secret: "right"), true), (.unreadable, false),
        ] {
            #expect((await server.pages.refusalOfMetrics(try server.request(.get, "/metrics", as: credentials)) == nil) == may)
        }
    }

    @Test("what is no page may be an artifact's address")
    func others() async throws {
        let server = try Server()
        for target in ["/repository/files/x", "/v2/", "/sign-in/x", "/signin"] {
            let page = await server.pages.answer(try server.request(.get, target))
            #expect(page.map(\.operation) == nil, "\(target)")
        }
    }
}
