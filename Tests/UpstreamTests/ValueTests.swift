import ArtifactModel
import FormatAPI
import HTTPTypes
import RepositoryEngine
import Testing

@testable import Outbound
@testable import Upstream

@Suite("What is asked of an upstream")
struct AddressTests {
    @Test(
        "addresses below a remote",
        arguments: [
            ("https://h", "a/b.jar", "https://h/a/b.jar"), ("https://h/maven2/", "a?b=c", "https://h/maven2/a?b=c"),
            ("http://h:8081/repository/x", "@s%2fp", "http://h:8081/repository/x/@s%2fp"),
        ])
    func below(_ remote: String, _ path: String, _ expected: String) throws {
        #expect(try Remote(remote).destination(of: .below(path), officialPrefix: "library").text == expected)
    }

    @Test(
        "addresses of names",
        arguments: [
            ("https://registry-1.docker.io", "alpine", "https://registry-1.docker.io/v2/library/alpine/manifests/x"),
            ("https://registry-1.docker.io", "a/b", "https://registry-1.docker.io/v2/a/b/manifests/x"),
            ("http://hub:8081/docker-all", "alpine", "http://hub:8081/v2/docker-all/library/alpine/manifests/x"),
            ("http://hub:8081/docker-all/", "a/b/c", "http://hub:8081/v2/docker-all/a/b/c/manifests/x"),
        ])
    func named(_ remote: String, _ name: String, _ expected: String) throws {
        let location = UpstreamResource.Location.named(root: "v2", name: name, rest: "manifests/x")
        #expect(try Remote(remote).destination(of: location, officialPrefix: "library").text == expected)
        let other = UpstreamResource.Location.named(root: "/v2/", name: name, rest: "manifests/x")
        #expect(try Remote(remote).destination(of: other, officialPrefix: nil).text == expected.replacing("library/", with: ""))
    }

    @Test("a range, its condition, and a condition of its own")
    func fields() {
        let resource = UpstreamResource(.below("a"), accept: ["x/y", "z/*"])
        let validators = Validators(entityTag: "\"e\"", lastModified: "Sun, 06 Nov 1994 08:49:37 GMT")
        let part = RequestFields.make(UpstreamRequest(.get, resource, part: .from(5, to: 10), validators: validators), agent: "entrepot/1")
        #expect(part[.range] == "bytes=5-9")
        #expect(part[.ifRange] == "\"e\"")
        #expect(part[.ifNoneMatch] == nil)
        #expect(part[.accept] == "x/y, z/*")
        #expect(part[.acceptEncoding] == "identity")
        #expect(part[.userAgent] == "entrepot/1")
        let weak = Validators(entityTag: "W/\"e\"", lastModified: "")
        #expect(RequestFields.make(UpstreamRequest(.get, resource, part: .from(5, to: nil), validators: weak), agent: "")[.ifRange] == nil)
        #expect(RequestFields.make(UpstreamRequest(.get, resource, part: .from(5, to: nil)), agent: "")[.range] == "bytes=5-")
        let whole = RequestFields.make(UpstreamRequest(.get, UpstreamResource(.below("a")), validators: validators), agent: "")
        #expect(whole[.ifNoneMatch] == "\"e\"" && whole[.ifModifiedSince] == validators.lastModified && whole[.range] == nil && whole[.accept] == "*/*")
    }
}

@Suite("What an upstream's status means")
struct VerdictTests {
    private static let origin = WebOrigin(scheme: .https, host: "h", port: 443)

    private static func code(_ status: Int, _ standing: Verdict.Standing, _ headers: HTTPFields = [:]) -> UpstreamError.Code? {
        Verdict.error(HTTPResponse.Status(code: status), headers, Self.origin, standing, now: Timestamp(milliseconds: 784_111_777_000))?.code
    }

    @Test("answers", arguments: [200, 206, 304, 416])
    func good(_ status: Int) { #expect(Self.code(status, .own) == nil) }

    @Test(
        "a miss is told from trouble",
        arguments: [
            (404, .own, .absent), (410, .own, .absent), (404, .elsewhere, .absent), (401, .issued, .absent), (403, .issued, .absent),
            (401, .own, .trouble(.unauthorized)), (403, .own, .trouble(.denied)), (403, .elsewhere, .trouble(.failed)),
            (407, .own, .trouble(.failed)), (408, .own, .trouble(.timedOut)), (421, .own, .trouble(.failed)), (425, .own, .trouble(.failed)),
            (429, .own, .trouble(.throttled)), (500, .issued, .trouble(.failed)), (502, .own, .trouble(.failed)), (503, .own, .trouble(.failed)),
            (504, .own, .trouble(.timedOut)), (400, .own, .trouble(.failed)), (204, .own, .trouble(.badAnswer)), (300, .own, .trouble(.badAnswer)),
        ] as [(Int, Verdict.Standing, UpstreamError.Code)])
    func codes(_ status: Int, _ standing: Verdict.Standing, _ expected: UpstreamError.Code) { #expect(Self.code(status, standing) == expected) }

    @Test("503 with a delay is throttled", arguments: ["7", "Sun, 06 Nov 1994 08:49:44 GMT"])
    func throttled(_ delay: String) {
        let now = Timestamp(milliseconds: 784_111_777_000)
        let error = Verdict.error(.serviceUnavailable, [.retryAfter: delay], Self.origin, .own, now: now)
        #expect(error?.code == .trouble(.throttled))
        #expect(error?.retryAfter == .seconds(7))
    }

    @Test("a delay that cannot be read is none", arguments: ["", "soon", "-1", "1.5", "99999999999"])
    func noDelay(_ text: String) { #expect(Verdict.delay(text, now: Timestamp(milliseconds: 0)) == nil) }
}

@Suite("Challenges and tokens")
struct TokenTests {
    @Test(
        "challenges are read",
        arguments: [
            (["Basic realm=\"x\""], [Challenge(scheme: "basic", parameters: ["realm": "x"])]),
            (
                ["Bearer realm=\"https://a/t?x=1,2\",service=\"s\", scope=\"repository:a/b:pull,push\""],
                [Challenge(scheme: "bearer", parameters: ["realm": "https://a/t?x=1,2", "service": "s", "scope": "repository:a/b:pull,push"])]
            ),
            (
                ["BASIC realm=\"a\\\"b\", Bearer realm=https://a/t , error=\"insufficient_scope\""],
                [
                    Challenge(scheme: "basic", parameters: ["realm": "a\"b"]),
                    Challenge(scheme: "bearer", parameters: ["realm": "https://a/t", "error": "insufficient_scope"]),
                ]
            ),
            (["Negotiate", "Basic Realm = \"y\""], [Challenge(scheme: "negotiate", parameters: [:]), Challenge(scheme: "basic", parameters: ["realm": "y"])]),
            (["Bearer realm=\"a\",realm=\"b\""], [Challenge(scheme: "bearer", parameters: ["realm": "a"])]),
            ([""], []), (["realm=\"x\""], []), ([",,=,"], []), (["Bearer realm=\"open"], [Challenge(scheme: "bearer", parameters: [:])]),
        ] as [([String], [Challenge])])
    func challenges(_ fields: [String], _ expected: [Challenge]) { #expect(Challenge.parse(fields) == expected) }

    private static func scope(_ scope: String) throws -> TokenScope {
        try #require(TokenScope(Challenge(scheme: "bearer", parameters: ["realm": "https://a/token", "service": "s e", "scope": scope])))
    }

    @Test("a token service is asked for each scope, in the URL's own signs")
    func destination() throws {
        let scope = try Self.scope("repository:a/b:pull,push repository:c:pull")
        #expect(TokenService.destination(scope)?.text == "https://a/token?service=s%20e&scope=repository:a/b:pull,push&scope=repository:c:pull")
    }

    @Test(
        "a token is read from what services answer",
        arguments: [
            (#"{"token":"t","expires_in":300}"#, TokenAnswer(token: "t", expiresIn: 300)), (#"{"access_token":"a"}"#, TokenAnswer(token: "a", expiresIn: 60)),
            (#"{"token":"","access_token":"a","expires_in":0}"#, TokenAnswer(token: "a", expiresIn: 60)),
            (
                #"{"token":"t","issued_at":"1994-11-06T08:49:37.123456789Z"}"#,
                TokenAnswer(token: "t", expiresIn: 60, issuedAt: Timestamp(milliseconds: 784_111_777_000))
            ), ("{}", nil), ("<html>", nil), (#"{"token":"a\r\nX: y"}"#, nil),
        ] as [(String, TokenAnswer?)])
    func answers(_ text: String, _ expected: TokenAnswer?) { #expect(TokenAnswer(Array(text.utf8)) == expected) }

    @Test("a token is given out until a little before it expires, and not after it was refused")
    func cache() throws {
        let (a, b) = (try Self.scope("a"), try Self.scope("b"))
        let begin = Timestamp(milliseconds: 1_000_000)
        var cache = TokenCache()
        cache.keep(TokenAnswer(token: "x", expiresIn: 300), for: a, asked: begin)
        #expect(cache.token(for: a, now: begin + .seconds(289)) == "x")
        #expect(cache.token(for: a, now: begin + .seconds(290)) == nil)
        #expect(cache.token(for: b, now: begin) == nil)
        cache.drop("older", for: a)
        #expect(cache.token(for: a, now: begin) == "x")
        cache.drop("x", for: a)
        #expect(cache.token(for: a, now: begin) == nil)
        cache.learn(a, of: "library/alpine")
        #expect(cache.scope(of: "library/alpine") == a && cache.scope(of: "other") == nil)
    }

    @Test("a token that was issued earlier lives shorter; a wrong clock changes nothing")
    func lifetime() {
        let now = Timestamp(milliseconds: 1_000_000)
        #expect(TokenAnswer(token: "t", expiresIn: 100, issuedAt: now - .seconds(40)).lifetime(asked: now) == .seconds(60))
        #expect(TokenAnswer(token: "t", expiresIn: 100, issuedAt: now - .seconds(400)).lifetime(asked: now) == .seconds(100))
        #expect(TokenAnswer(token: "t", expiresIn: 100, issuedAt: now + .seconds(40)).lifetime(asked: now) == .seconds(100))
    }

    @Test("credentials are not printed")
    func hidden() { #expect("\(UpstreamCredentials.basic(username: "u", password: "secret"))" == "***") }
}
