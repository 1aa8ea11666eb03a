import ArtifactModel
import FormatAPI
import FormatTestKit
import FoundationEssentials
import HTTPTypes
import NIOCore
import Testing

@testable import DockerFormat

/// Two repositories behind the real routing; short names are the first one's.
func makeSite(policy: WritePolicy = .allow) async throws -> TestSite {
    try await TestSite.make(
        OCIFormat(), site: OCISiteSettings(defaultRepository: try RepositoryName("local")),
        [.init("local", policy: policy, settings: OCISettings()), .init("other", policy: policy, settings: OCISettings())])
}

extension TestSite {
    func ask(_ method: HTTPRequest.Method, _ target: String, _ text: String = "", type: String? = nil, cut: Bool = false) async throws -> TestResponse {
        try await self.send(
            TestRequest(
                method, target, headers: type.map { [.contentType: $0] } ?? [:], body: text.isEmpty ? [] : [ByteBuffer(string: text)], cut: cut))
    }

    /// A blob in one request.
    @discardableResult
    func push(_ text: String, to image: String) async throws -> ContentDigest {
        let digest = try digest(text)
        #expect(try await self.ask(.post, "/v2/\(image)/blobs/uploads/?digest=\(digest)", text).status == .created)
        return digest
    }

    func pushImage(_ image: String, _ tag: String) async throws {
        for blob in ["{}", "layer"] { try await self.push(blob, to: image) }
        #expect(try await self.ask(.put, "/v2/\(image)/manifests/\(tag)", try DockerFormatTests.image(), type: imageType).status == .created)
    }
}

@Suite("A site of registries")
struct SiteTests {
    @Test(
        "a mount's source is read as the same root reads names of images",
        arguments: [
            ("/v2/other/to", "acme/from", 201), ("/v2/other/to", "local/acme/from", 201), ("/v2/acme/to", "acme/from", 201),
            ("/v2/acme/to", "local/acme/from", 201), ("/v2/local/to", "acme%2Ffrom", 201), ("/repository/other/v2/to", "local/acme/from", 201),
            ("/repository/local/v2/to", "acme/from", 201), ("/v2/other/to", "other/acme/from", 202), ("/v2/other/to", "nobody/from", 202),
            ("/v2/other/to", "..%2Facme%2Ffrom", 202), ("/v2/other/to", "/", 202), ("/v2/other/to", "UPPER", 202), ("/v2/other/to", "a/blobs/uploads", 202),
        ])
    func mount(base: String, source: String, status: Int) async throws {
        let site = try await makeSite()
        let digest = try await site.push("shared", to: "acme/from")
        let response = try await site.ask(.post, "\(base)/blobs/uploads/?origin=x&from=\(source)&mount=\(digest)")
        #expect(response.status.code == status)
        #expect(try await site.ask(.head, "\(base)/blobs/\(digest)").status.code == (status == 201 ? 200 : 404))
    }

    @Test("a cut closing PUT leaves the session as it was, and the same request again is the blob; of a cut PATCH, what came counts")
    func cut() async throws {
        let site = try await makeSite()
        let whole = try digest("whole")
        let begun = try await site.ask(.post, "/v2/app/blobs/uploads/")
        let session = try #require(begun.headers[.location])
        for _ in 1...2 { _ = try await site.ask(.put, "\(session)?digest=\(whole)", "who", cut: true) }
        #expect(try await site.ask(.get, session).headers[.range] == "0-0")
        _ = try await site.ask(.patch, session, "wh", cut: true)
        #expect(try await site.ask(.get, session).headers[.range] == "0-1")
        _ = try await site.ask(.put, "\(session)?digest=\(whole)", "ol", cut: true)
        #expect(try await site.ask(.put, "\(session)?digest=\(whole)", "ole").status == .created)
    }

    @Test("an image without tags has an empty list; one of which nothing is left is in no list at all")
    func vanishes() async throws {
        let site = try await makeSite()
        try await site.pushImage("other/app", "t")
        try await site.pushImage("kept", "t")
        #expect(try await site.ask(.delete, "/v2/other/app/manifests/t").status == .accepted)
        #expect(try await site.ask(.get, "/v2/other/app/tags/list").text == #"{"name":"other/app","tags":[]}"#)
        #expect(try await site.ask(.get, "/v2/_catalog").text == #"{"repositories":["local/kept","other/app"]}"#)
        #expect(try await site.ask(.delete, "/v2/other/app/manifests/\(try digest(try image()))").status == .accepted)
        #expect(try await site.ask(.get, "/v2/_catalog").text == #"{"repositories":["local/kept"]}"#)
        #expect(try await site.ask(.get, "/repository/other/v2/_catalog").text == #"{"repositories":[]}"#)
        #expect(try await site.ask(.get, "/repository/local/v2/_catalog").text == #"{"repositories":["kept"]}"#)
        let tags = try await site.ask(.get, "/v2/other/app/tags/list")
        #expect(tags.status == .notFound && tags.text.contains("NAME_UNKNOWN"))
        try await site.pushImage("other/app", "t")
        #expect(try await site.ask(.get, "/v2/other/app/tags/list?n=99999999999999999999").text == #"{"name":"other/app","tags":["t"]}"#)
    }

    @Test("an unknown repository is told in the envelope, wherever its address shows the API", arguments: ["/repository/none/v2/app/tags/list", "/v2/x/y"])
    func unknown(target: String) async throws {
        let response = try await makeSite().ask(.get, target)
        #expect(response.status == .notFound)
        #expect(response.text.hasPrefix(#"{"errors":[{"code":""#))
    }

    @Test("pushes of one tag at once all succeed, and the tag is one of them")
    func oneTag() async throws {
        let site = try await makeSite()
        for blob in ["{}", "layer"] { try await site.push(blob, to: "app") }
        let manifests = try (0..<16).map { try image(extra: #","annotations":{"n":"\#($0)"}"#) }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for manifest in manifests {
                group.addTask { try await site.ask(.put, "/v2/app/manifests/t", manifest, type: imageType).status.code }
            }
            for try await status in group { #expect(status == 201) }
        }
        #expect(manifests.contains(try await site.ask(.get, "/v2/app/manifests/t").text))
        for manifest in manifests { #expect(try await site.ask(.head, "/v2/app/manifests/\(try digest(manifest))").status == .ok) }
    }

    @Test("a child of a tagged index, and a layer of a manifest, are deleted where that is asked; the index stays as it is")
    func children() async throws {
        let site = try await makeSite()
        try await site.pushImage("app", "child")
        let child = try digest(try image())
        let index = #"{"schemaVersion":2,"mediaType":"\#(indexType)","manifests":[{"mediaType":"\#(imageType)","digest":"\#(child)","size":9}]}"#
        #expect(try await site.ask(.put, "/v2/app/manifests/index", index, type: indexType).status == .created)
        #expect(try await site.ask(.delete, "/v2/app/blobs/\(try digest("layer"))").status == .accepted)
        #expect(try await site.ask(.delete, "/v2/app/manifests/\(child)").status == .accepted)
        #expect(try await site.ask(.get, "/v2/app/manifests/index").text == index)
        #expect(try await site.ask(.get, "/v2/app/manifests/\(child)").status == .notFound)
    }
}

@Suite("Long lists of referrers")
struct ReferrerTests {
    private struct Page: Decodable {
        struct Entry: Decodable {
            var digest: String
            var annotations: [String: String]?
        }
        var manifests: [Entry]
    }

    /// All entries, by pages that follow their link.
    private func pages(_ site: TestSite, _ first: String) async throws -> (entries: [Page.Entry], pages: Int) {
        var target: String? = first
        var found: (entries: [Page.Entry], pages: Int) = ([], 0)
        while let page = target, found.pages < 100 {
            let answer = try await site.ask(.get, page)
            #expect(answer.status == .ok)
            found.pages += 1
            found.entries += try JSONDecoder().decode(Page.self, from: Data(answer.body.readableBytesView)).manifests
            target = answer.headers[.link].map { String($0.dropFirst().prefix { $0 != ">" }) }
        }
        return found
    }

    @Test("10,000 referrers, pushed ones and those of the fallback tag, come in pages, each once")
    func many() async throws {
        let site = try await makeSite()
        let subject = try digest("subject")
        let content = try site.content(of: "local")
        let image = try ImageName("app")
        let blob = try await content.stage(.chunks([ByteBuffer(string: "{}")]), StageDemand())
        func name(_ number: Int) throws -> ContentDigest {
            let hex = String(number, radix: 16)
            return try ContentDigest(image: "sha256:" + String(repeating: "0", count: 64 - hex.count) + hex)
        }
        let edge = Edge(kind: OCIFormat.subjectKind, target: subject, artifactType: "test/a")
        for start in stride(from: 0, to: 9_000, by: 1_000) {
            try await content.commit(
                Edit(
                    try (start..<start + 1_000).map { number in
                        let digest = try name(number)
                        let asset = NewAsset(image.manifest(digest), blob, contentType: imageType)
                        return .put(Component(image.coordinates(digest), attributes: "{}", assets: [asset], edges: [edge]))
                    }))
        }
        for number in [8_999, 9_000] { try await site.push("\(number)", to: "app") }
        let entries = try (8_000..<10_000).map {
            #"{"mediaType":"test/layer","digest":"\#(try name($0))","size":2,"artifactType":"\#($0.isMultiple(of: 2) ? "test/a" : "test/b")"}"#
        }
        let index = #"{"schemaVersion":2,"mediaType":"\#(indexType)","manifests":[\#(entries.joined(separator: ","))]}"#
        let list = try await content.stage(.chunks([ByteBuffer(string: index)]), StageDemand())
        let digest = try #require(list.digests.first)
        let tag = try Tag(referrersOf: subject)
        let asset = NewAsset(image.manifest(digest), list, contentType: indexType)
        try await content.commit(
            Edit([.put(Component(image.coordinates(digest), assets: [asset])), .point(image.pointer(tag), to: "\(digest)", .always)]))
        let all = try await self.pages(site, "/v2/app/referrers/\(subject)")
        #expect(try all.entries.map(\.digest) == (0..<10_000).map { "\(try name($0))" })
        #expect(all.pages <= 25)
        let filtered = try await self.pages(site, "/v2/app/referrers/\(subject)?artifactType=test%2Fb")
        #expect(try filtered.entries.map(\.digest) == stride(from: 9_001, to: 10_000, by: 2).map { "\(try name($0))" })
    }

    @Test("annotations of any size are listed, by pages that stay small")
    func annotations() async throws {
        let site = try await makeSite()
        let subject = try digest("subject")
        for blob in ["{}", "layer"] { try await site.push(blob, to: "app") }
        let sizes = [10, 9_000, 100_000, 3_000_000, 3_000_000, 7 << 20]
        for (number, size) in sizes.enumerated() {
            let manifest = try image(
                extra: """
                    ,"subject":{"mediaType":"\(imageType)","digest":"\(subject)","size":1},"artifactType":"test/a",\
                    "annotations":{"n\(number)":"\(String(repeating: "x", count: size))"}
                    """)
            #expect(try await site.ask(.put, "/v2/app/manifests/\(try digest(manifest))", manifest, type: imageType).status == .created)
        }
        let all = try await self.pages(site, "/v2/app/referrers/\(subject)")
        #expect((3...4).contains(all.pages))
        let found = all.entries.flatMap { entry in (entry.annotations ?? [:]).map { "\($0.key) \($0.value.utf8.count)" } }
        #expect(found.sorted() == sizes.enumerated().map { "n\($0) \($1)" })
    }
}
