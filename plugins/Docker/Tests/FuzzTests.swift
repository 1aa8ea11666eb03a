import ArtifactModel
import FormatTestKit
import HTTPTypes
import NIOCore
import TestDice
import Testing

@testable import DockerFormat

@Suite("Requests that nobody meant")
struct FuzzTests {
    private static let methods: [HTTPRequest.Method] = [.get, .head, .put, .post, .patch, .delete, .options]
    private static let types: [String?] = [nil, imageType, indexType, "application/vnd.docker.distribution.manifest.v2+json", "", ";", "a/b; charset=utf-8"]
    private static let ranges: [String?] = [nil, nil, nil, "0-3", "4-1", "x", "0-9999999999999999999", "-"]
    private static let inTargets = ["/", "?", "&", "=", "%2F", "%00", ":", "..", "n=-1", "last=", "é", "%ff", "blobs", "uploads", "A", "sha256:"]
    private static let inBodies = [
        "\"", "{", "}", "[", "]", ",", ":", "null", "1e400", "-1", "\\u0000", "\\ud800", "é", "\u{0}", "\"digest\":1", "9999999999999999999",
    ]

    private static func targets(_ session: String, _ digest: String) -> [String] {
        [
            "/v2/", "/v2/_catalog?n=1&last=a", "/v2/app/tags/list?n=2&last=a", "/v2/app/manifests/t", "/v2/app/manifests/\(digest)?tag=a&tag=b",
            "/v2/app/blobs/\(digest)", "/v2/app/blobs/uploads/", "/v2/app/blobs/uploads/?mount=\(digest)&from=other/app", "\(session)",
            "\(session)?digest=\(digest)", "/v2/app/referrers/\(digest)?artifactType=a&last=~\(digest)", "/v2/app/blobs/uploads/?digest=\(digest)",
            "/repository/local/v2/app/tags/list", "/v2/other/app/manifests/x",
        ]
    }

    @Test("damaged scopes are none, or are written as what they ask for and read as the same again", arguments: [1, 2, 3])
    func scopes(seed: UInt64) {
        var dice = Dice(state: seed)
        let seeds = [
            "repository:team/app:pull,push", "repository(plugin):a:*", "registry:catalog:*", "repository:h:5000/a/b:delete",
            "repository:a:pull repository:b:push",
        ]
        let pieces = Self.inTargets + [":", ",", " ", "(", ")", "*", "pull", "registry", "catalog"]
        for _ in 0..<4000 {
            let text = String(decoding: dice.damaged(dice.pick(seeds), pieces), as: UTF8.self)
            for scope in Scope.all(in: [text]) {
                #expect(scope.actions.allSatisfy { [.read, .write, .delete].contains($0) })
                guard !scope.actions.isEmpty else { continue }
                #expect(Scope("\(scope)"[...]) == scope)
            }
        }
        #expect(Scope.all(in: Array(repeating: "repository:a:pull", count: 1000)).count == Scope.most)
    }

    @Test("damaged requests and manifests are answered, never with 500, and every refusal is in the envelope", arguments: [1, 2, 3, 4])
    func fuzz(seed: UInt64) async throws {
        var dice = Dice(state: seed)
        let site = try await makeSite()
        try await site.pushImage("app", "t")
        let manifest = try image(extra: #","annotations":{"k":"v"},"subject":{"mediaType":"\#(imageType)","digest":"\#(try digest("x"))","size":1}"#)
        let index = #"{"schemaVersion":2,"manifests":[{"mediaType":"\#(imageType)","digest":"\#(try digest(try image()))","size":9,"artifactType":"a/b"}]}"#
        let session = try #require(try await site.ask(.post, "/v2/app/blobs/uploads/").headers[.location])
        for _ in 0..<750 {
            let target = String(decoding: dice.damaged(dice.pick(Self.targets(session, "\(try digest("{}"))")), Self.inTargets), as: UTF8.self)
            guard target.hasPrefix("/v2/") || target.hasPrefix("/repository/local/v2/") else { continue }
            var request = TestRequest(dice.pick(Self.methods), target)
            request.body = [ByteBuffer(bytes: dice.damaged(dice.pick([manifest, index, "{}", "layer"]), Self.inBodies))]
            request.headers[.contentType] = dice.pick(Self.types)
            request.headers[.contentRange] = dice.pick(Self.ranges)
            request.cut = Int.random(in: 0..<20, using: &dice) == 0
            request.declaresLength = Bool.random(using: &dice)
            guard let response = try? await site.send(request) else { continue }  // no safe path: refused before it gets here
            #expect(response.status.code < 500 || response.status == .notImplemented, "\(request.method) \(target): \(response.text)")
            if response.status.code >= 400 { #expect(response.text.hasPrefix(#"{"errors":[{"code":""#), "\(request.method) \(target): \(response.text)") }
        }
    }
}
