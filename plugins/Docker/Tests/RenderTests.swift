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
        #expect((response.headers[.wwwAuthenticate] != nil) == (status == 401))
    }

    @Test("the table has every code")
    func complete() { #expect(Set(Self.table.map(\.0)) == Set(FormatError.Code.allCases)) }

    @Test("nobody in particular is challenged, somebody is denied")
    func challenge() {
        let error = FormatError(.forbidden, "no")
        let denied = [Access(.read, path: "a")]
        let challenged = OCIFormat().render(Failure(error, denied: denied, anonymous: true), for: head(.get, "a/tags/list"))
        #expect(challenged.status == .unauthorized)
        #expect(challenged.headers[.wwwAuthenticate] == "Basic realm=\"entrepot\"")
        let refused = OCIFormat().render(Failure(error, denied: denied, anonymous: false), for: head(.get, "a/tags/list"))
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
