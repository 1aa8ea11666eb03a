import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import RepositoryEngine
import Testing

@testable import DockerFormat

/// A proxy behind the real engine, and an upstream that follows a script.
private struct ProxySite {
    static let down = UpstreamError(.trouble(.unreachable), "http://upstream.example cannot be reached")
    let upstream: ScriptedUpstream
    let site: TestSite

    init(officialPrefix: String = "") async throws {
        self.upstream = ScriptedUpstream(officialPrefix: officialPrefix)
        self.site = try await TestSite.make(
            OCIFormat(), site: OCISiteSettings(), [.proxy("hub", of: self.upstream, settings: OCISettings())])
    }

    func put(manifest text: String, of image: String = "app", tag: String? = nil, type: String = imageType) throws -> ContentDigest {
        let name = try digest(text)
        let file = ScriptedUpstream.File(text, contentType: type, headers: ["Docker-Content-Digest": "\(name)"])
        for reference in [tag, "\(name)"].compactMap(\.self) { self.upstream.put("v2/\(image)/manifests/\(reference)", file) }
        return name
    }

    /// Everything that is asked next fails.
    func stop() { for _ in 0..<8 { self.upstream.script(.fail(Self.down)) } }

    func referrers(_ subject: ContentDigest, _ query: String = "", _ method: HTTPRequest.Method = .get) async throws -> TestResponse {
        try await self.site.send(TestRequest(method, "/v2/hub/app/referrers/\(subject)\(query)"))
    }
}

@Suite("Referrers of a proxy")
struct ProxyReferrerTests {
    private static func entry(_ digest: ContentDigest, _ type: String) -> String {
        #"{"artifactType":"\#(type)","digest":"\#(digest)","mediaType":"\#(imageType)","size":7}"#
    }
    private static func index(_ entries: [String]) -> String {
        #"{"manifests":[\#(entries.joined(separator: ","))],"mediaType":"\#(indexType)","schemaVersion":2}"#
    }

    @Test("are the upstream's own list, page by page, and never kept")
    func forwarded() async throws {
        let proxy = try await ProxySite()
        let (subject, one, two) = (try digest("subject"), try digest("one"), try digest("two"))
        let api = "v2/app/referrers/\(subject)"
        let first = Self.index([Self.entry(one, "a/x")])
        proxy.upstream.put(api, .init(first, contentType: indexType, headers: ["Link": "</v2/elsewhere/app/referrers/x?n=1&last=\(one)>; rel=\"next\""]))
        proxy.upstream.put("\(api)?last=sha256%3A\(one.description.dropFirst(7))", .init(Self.index([Self.entry(two, "a/y")]), contentType: indexType))
        let answer = try await proxy.referrers(subject)
        #expect(answer.status == .ok && answer.text == first && answer.headers[.contentType] == indexType)
        let link = try #require(answer.headers[.link])
        #expect(link == "</v2/hub/app/referrers/\(subject)?last=sha256%3A\(one.description.dropFirst(7))>; rel=\"next\"")
        let next = try await proxy.site.send(TestRequest(.get, String(link.dropFirst().prefix { $0 != ">" })))
        #expect(next.text == Self.index([Self.entry(two, "a/y")]) && next.headers[.link] == nil)
        #expect(!proxy.upstream.asked.contains { $0.address.contains("manifests/") })
    }

    @Test("of one type are asked for by it, and filtered here where the upstream does not")
    func filtered() async throws {
        let proxy = try await ProxySite()
        let (subject, one, two) = (try digest("subject"), try digest("one"), try digest("two"))
        let all = Self.index([Self.entry(one, "a/x"), Self.entry(two, "a/y")])
        proxy.upstream.put("v2/app/referrers/\(subject)?artifactType=a%2Fy", .init(all, contentType: indexType))
        let answer = try await proxy.referrers(subject, "?artifactType=a/y")
        #expect(answer.text == Self.index([Self.entry(two, "a/y")]))
        #expect(answer.headers[.filtersApplied] == "artifactType")
    }

    @Test("of an upstream without the API are those of the fallback tag, for GET and HEAD", arguments: [HTTPRequest.Method.get, .head])
    func fallback(_ method: HTTPRequest.Method) async throws {
        let proxy = try await ProxySite()
        let (subject, one) = (try digest("subject"), try digest("one"))
        let list = Self.index([Self.entry(one, "a/x")])
        _ = try proxy.put(manifest: list, tag: "\(try Tag(referrersOf: subject))", type: indexType)
        try await proxy.site.running {
            let answer = try await proxy.referrers(subject, "", method)
            #expect(answer.status == .ok && answer.text == list)
        }
    }

    @Test("are those that are kept while the upstream is in trouble; where none is, the trouble is told")
    func trouble() async throws {
        let proxy = try await ProxySite()
        let subject = try digest("subject")
        let signature = try image(extra: #","artifactType":"a/x","subject":{"mediaType":"\#(imageType)","digest":"\#(subject)","size":1}"#)
        let name = try proxy.put(manifest: signature)
        try await proxy.site.running {
            #expect(try await proxy.site.send(TestRequest(.get, "/v2/hub/app/manifests/\(name)")).text == signature)
            for _ in 0..<100_000 where proxy.site.fills.count > 0 { await Task.yield() }
            proxy.stop()
            let kept = try await proxy.referrers(subject)
            #expect(kept.status == .ok && kept.text.contains("\(name)"), "\(kept.text)")
            proxy.stop()
            let none = try await proxy.referrers(try digest("another"))
            #expect(none.status == .badGateway && none.text.contains("UNAVAILABLE"), "\(none.text)")
        }
    }

    @Test("of a list that cannot be read are trouble, and not none")
    func unreadable() async throws {
        let proxy = try await ProxySite()
        let subject = try digest("subject")
        proxy.upstream.put("v2/app/referrers/\(subject)", .init("{\"manifests\":7}", contentType: indexType))
        #expect(try await proxy.referrers(subject).status == .badGateway)
    }
}

@Suite("Age through a proxy")
struct ProxyAgeTests {
    @Test("a manifest that is kept is as old as the upstream's caches said, and what has passed since")
    func kept() async throws {
        let proxy = try await ProxySite()
        let text = try image()
        let name = try digest(text)
        proxy.upstream.put("v2/app/manifests/\(name)", .init(text, contentType: imageType, headers: ["Age": "1000"]))
        let want = try ImageName("app").request(manifest: name, on: proxy.site.compute)
        try await proxy.site.running {
            let first = try #require(try await proxy.site.content(of: "hub").content(want))
            _ = try await first.source.whole()
            #expect(first.cache?.outcome == .miss && first.cache?.age == .seconds(1000))
            for _ in 0..<100_000 where proxy.site.fills.count > 0 { await Task.yield() }
            proxy.site.clock.advance(by: .seconds(5))
            let again = try #require(try await proxy.site.content(of: "hub").content(want))
            #expect(again.cache?.outcome == .hit && again.cache?.age == .seconds(1005))
        }
    }
}

@Suite("Short names of a proxy with an official prefix")
struct OfficialNameTests {
    @Test("what was pulled by the short name is there by the full one without the upstream, and the other way round", arguments: [true, false])
    func either(_ isShortFirst: Bool) async throws {
        let proxy = try await ProxySite(officialPrefix: "library")
        let text = try image()
        let name = try proxy.put(manifest: text, of: "library/app", tag: "1")
        let names = isShortFirst ? ["app", "library/app"] : ["library/app", "app"]
        try await proxy.site.running {
            for reference in ["1", "\(name)"] {
                #expect(try await proxy.site.send(TestRequest(.get, "/v2/hub/\(names[0])/manifests/\(reference)")).text == text)
            }
            for _ in 0..<100_000 where proxy.site.fills.count > 0 { await Task.yield() }
            proxy.site.clock.advance(by: .seconds(3600))
            proxy.stop()
            for reference in ["1", "\(name)"] {
                #expect(try await proxy.site.send(TestRequest(.get, "/v2/hub/\(names[1])/manifests/\(reference)")).text == text)
            }
            let tags = try await proxy.site.send(TestRequest(.get, "/v2/hub/\(names[1])/tags/list?n=1"))
            #expect(tags.text == "{\"name\":\"hub/\(names[1])\",\"tags\":[\"1\"]}")
            #expect(try await proxy.site.send(TestRequest(.get, "/v2/_catalog")).text == #"{"repositories":["hub/library/app"]}"#)
        }
        #expect(proxy.upstream.asked.allSatisfy { $0.address.hasPrefix("v2/library/app/") })
    }

    @Test("a list goes on under the name that it was asked for by")
    func paging() async throws {
        let proxy = try await ProxySite(officialPrefix: "library")
        let list = ScriptedUpstream.File(#"{"name":"library/app","tags":["a"]}"#, headers: ["Link": "</v2/library/app/tags/list?last=a&n=1>; rel=\"next\""])
        proxy.upstream.put("v2/library/app/tags/list?n=1", list)
        let answer = try await proxy.site.send(TestRequest(.get, "/v2/hub/app/tags/list?n=1"))
        #expect(answer.text == #"{"name":"hub/app","tags":["a"]}"#)
        #expect(answer.headers[.link] == "</v2/hub/app/tags/list?n=1&last=a>; rel=\"next\"")
    }

    @Test("a chosen platform is fetched ahead with its own attestation, and no other's")
    func prefetch() async throws {
        let proxy = try await ProxySite(officialPrefix: "library")
        let entries = try ["amd64", "arm64"].map { architecture in
            let image = try proxy.put(manifest: try image(extra: #","annotations":{"for":"\#(architecture)"}"#), of: "library/app")
            let attestation = try proxy.put(manifest: try DockerFormatTests.image(extra: #","annotations":{"of":"\#(image)"}"#), of: "library/app")
            return """
                {"mediaType":"\(imageType)","digest":"\(image)","size":1,"platform":{"os":"linux","architecture":"\(architecture)"}},\
                {"mediaType":"\(imageType)","digest":"\(attestation)","size":1,"platform":{"os":"unknown","architecture":"unknown"},\
                "annotations":{"vnd.docker.reference.digest":"\(image)"}}
                """
        }
        let index = #"{"schemaVersion":2,"mediaType":"\#(indexType)","manifests":[\#(entries.joined(separator: ","))]}"#
        _ = try proxy.put(manifest: index, of: "library/app", tag: "1", type: indexType)
        try await proxy.site.running {
            let content = try proxy.site.content(of: "hub")
            #expect(try await OCIFormat().prefetch("app:1", ["linux/arm64"], in: content, OCISettings()).isEmpty == false)
        }
        // The index, and of the four manifests two.
        #expect(proxy.upstream.asked.filter { $0.method == "GET" }.count == 3)
    }
}
