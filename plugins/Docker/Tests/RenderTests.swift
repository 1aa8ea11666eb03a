import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import Testing

@testable import DockerFormat

@Suite("Failures in OCI's envelope")
struct RenderTests {
    static let table: [(FormatError.Code, Int, String)] = [
        (.notFound, 404, "NAME_UNKNOWN"), (.invalidRequest, 400, "UNSUPPORTED"), (.methodNotAllowed, 405, "UNSUPPORTED"),
        (.unauthenticated, 401, "UNAUTHORIZED"), (.forbidden, 403, "DENIED"), (.conflict, 409, "DENIED"), (.preconditionFailed, 412, "UNSUPPORTED"),
        (.readOnly, 403, "DENIED"), (.digestMismatch, 400, "DIGEST_INVALID"), (.wrongRange, 416, "RANGE_INVALID"), (.tooLarge, 413, "SIZE_INVALID"),
        (.unsupported, 400, "UNSUPPORTED"), (.quotaExceeded, 403, "DENIED"), (.throttled, 429, "TOOMANYREQUESTS"),
        (.upstreamUnreachable, 502, "UNAVAILABLE"), (.upstreamTimedOut, 504, "UNAVAILABLE"), (.upstreamFailed, 502, "UNAVAILABLE"),
        (.unavailable, 503, "UNAVAILABLE"), (.noSpace, 507, "UNAVAILABLE"), (.cancelled, 499, "UNAVAILABLE"), (.notServed, 501, "UNSUPPORTED"),
        (.internalFailure, 500, "UNKNOWN"),
    ]

    @Test("every code has a status and a word", arguments: Self.table)
    func codes(code: FormatError.Code, status: Int, word: String) throws {
        let response = OCIFormat().render(Failure(FormatError(code, "so it is")), for: head(.get, "a/tags/list"))
        #expect(response.status.code == status)
        #expect(text(response) == #"{"errors":[{"code":"\#(word)","message":"so it is"}]}"#)
        #expect(response.headers[.contentType] == "application/json")
        #expect(response.headers[.registryVersion] == "registry/2.0")
        #expect(response.headers[.wwwAuthenticate] == nil)
    }

    @Test("the table has every code")
    func complete() { #expect(Set(Self.table.map(\.0)) == Set(FormatError.Code.allCases)) }

    @Test(
        "a challenge says where a token is to be had, for which root, and for what",
        arguments: [
            ("/v2", "a/tags/list", "a", Action.read, Failure.Challenge.signIn, #"realm="http://h:1/v2/_token",service="h:1",scope="repository:a:pull""#),
            ("/v2/local", "a/b/manifests/1", "a/b", .write, .signIn, #"realm="http://h:1/v2/_token",service="h:1",scope="repository:local/a/b:pull,push""#),
            (
                "/repository/local/v2", "a/manifests/1", "a", .delete, .insufficientScope,
                #"realm="http://h:1/repository/local/v2/_token",service="h:1",scope="repository:a:delete",error="insufficient_scope""#
            ),
            (
                "/v2", "a/manifests/1?ns=docker.io", "a", .read, .invalidToken,
                #"realm="http://h:1/v2/_token?ns=docker.io",service="h:1",scope="repository:a:pull",error="invalid_token""#
            ),
            ("/v2", "_catalog", "", .read, .signIn, #"realm="http://h:1/v2/_token",service="h:1",scope="registry:catalog:*""#),
            ("/v2", "", "", .read, .signIn, #"realm="http://h:1/v2/_token",service="h:1""#),
        ])
    func challenge(root: String, target: String, path: String, action: Action, challenge: Failure.Challenge, parameters: String) {
        var asked = head(.get, target, root: root)
        (asked.origin, asked.audience) = ("http://h:1", "h:1")
        let failure = Failure(FormatError(.unauthenticated, "no"), denied: path.isEmpty ? [] : [Access(action, path: path)], challenge: challenge)
        let response = OCIFormat().render(failure, for: asked)
        #expect(response.status == .unauthorized)
        #expect(response.headers[.wwwAuthenticate] == "Bearer " + parameters)
    }

    @Test("who is refused for what may be done is not asked to sign in")
    func refused() {
        let refused = OCIFormat().render(Failure(FormatError(.forbidden, "no"), denied: [Access(.write, path: "a")]), for: head(.get, "a/tags/list"))
        #expect(refused.status == .forbidden)
        #expect(refused.headers[.wwwAuthenticate] == nil)
    }

    @Test("405 says which methods there are")
    func allow() {
        let response = OCIFormat().render(Failure(FormatError(.methodNotAllowed, "no")), for: head(.put, "a/tags/list"))
        #expect(response.headers[.allow] == "GET, HEAD")
    }

    @Test("a failure's own word stands before the code's, with the digest it is about, and its message is escaped")
    func detail() {
        let response = OCIFormat().render(
            Failure(FormatError(.invalidRequest, "no \"x\"/y", detail: "MANIFEST_BLOB_UNKNOWN sha256:ab")), for: head(.put, "a/manifests/x"))
        #expect(text(response) == #"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","detail":{"digest":"sha256:ab"},"message":"no \"x\"/y"}]}"#)
    }
}

func text(_ response: ArtifactResponse) -> String {
    switch response.body {
    case .none: ""
    case .bytes(let bytes): String(buffer: bytes)
    case .content(let content): (content.source as? MemoryContent).map { String(buffer: $0.bytes) } ?? "?"
    case .stream: "?"
    }
}
