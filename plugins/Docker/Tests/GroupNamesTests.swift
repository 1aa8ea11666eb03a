import ArtifactModel
import FormatAPI
import FormatTestKit
import FoundationEssentials
import HTTPTypes
import NIOCore
import RepositoryEngine
import Testing

@testable import DockerFormat

/// A hosted repository, a proxy that writes `library/` before short names, and one that does not, behind one name.
private struct NamesSite {
    let hub = ScriptedUpstream(officialPrefix: "library")
    let quay = ScriptedUpstream()
    let site: TestSite

    init(hub rule: (TestSite.Plan) throws -> TestSite.Plan = { $0 }, group: (TestSite.Plan) throws -> TestSite.Plan = { $0 }, owns: String? = nil) async throws
    {
        let local = TestSite.Plan("local", settings: OCISettings())
        self.site = try await TestSite.make(
            OCIFormat(), site: OCISiteSettings(defaultRepository: try RepositoryName("all")),
            [
                try owns.map { try local.owning($0) } ?? local, try rule(.proxy("hub", of: self.hub, settings: OCISettings())),
                .proxy("quay", of: self.quay, settings: OCISettings()),
                try group(.group("all", of: ["local", "hub", "quay"], writeTo: "local", settings: OCISettings())),
            ])
    }

    @discardableResult
    func put(_ image: String, _ tag: String, at upstream: ScriptedUpstream) throws -> ContentDigest {
        for text in ["{}", "layer"] { upstream.put("v2/\(image)/blobs/\(try digest(text))", .init(text)) }
        let text = try DockerFormatTests.image(layer: "layer")
        let name = try digest(text)
        let file = ScriptedUpstream.File(text, contentType: imageType, headers: ["Docker-Content-Digest": "\(name)"])
        for reference in [tag, "\(name)"] { upstream.put("v2/\(image)/manifests/\(reference)", file) }
        return name
    }

    func get(_ target: String, _ method: HTTPRequest.Method = .get) async throws -> TestResponse {
        let answer = try await self.site.send(TestRequest(method, target))
        await self.site.fills.settled()
        return answer
    }

    func packages(of repository: String) async throws -> [String] {
        try await self.site.content(of: repository).list(ContentQuery(.packages, limit: 9)).rows.map(\.name)
    }
}

@Suite("Short names through a group") struct GroupNamesTests {
    @Test("«redis» and «library/redis» are one image at the member that has it so, and each member is asked by its own name")
    func names() async throws {
        let names = try await NamesSite()
        let manifest = try names.put("library/redis", "1", at: names.hub)
        let layer = try digest("layer")
        try await names.site.running { () async throws in
            #expect(try await names.get("/v2/all/redis/manifests/1").status == .ok)
            #expect(try await names.get("/v2/all/redis/blobs/\(layer)").text == "layer")
            #expect(try await names.packages(of: "hub") == ["library/redis"])
            let asked = names.hub.asked.count
            #expect(try await names.get("/v2/all/library/redis/manifests/1").status == .ok)
            for image in ["redis", "library/redis"] {
                for method in [HTTPRequest.Method.get, .head] {
                    #expect(try await names.get("/v2/all/\(image)/blobs/\(layer)", method).status == .ok)
                    #expect(try await names.get("/v2/all/\(image)/manifests/\(manifest)", method).status == .ok)
                }
            }
            #expect(names.hub.asked.count == asked)
            // As containerd asks.
            #expect(try await names.get("/v2/all/redis/blobs/\(manifest)").status == .ok)
            #expect(names.quay.asked.allSatisfy { !$0.address.contains("manifests/1") })
            let tags = try await names.get("/v2/all/redis/tags/list")
            #expect(tags.status == .ok && tags.text.contains(#""all/redis""#) && tags.text.contains(#""1""#), "\(tags.text)")
            #expect(names.hub.asked.contains { $0.address == "v2/library/redis/tags/list" })
            #expect(names.quay.asked.contains { $0.address == "v2/redis/tags/list" })
            #expect(try await names.get("/v2/all/redis/referrers/\(manifest)").status == .ok)
            #expect(names.hub.asked.contains { $0.address == "v2/library/redis/referrers/\(manifest)" })
            #expect(names.quay.asked.contains { $0.address == "v2/redis/referrers/\(manifest)" })
        }
        let other = try await NamesSite()
        try other.put("redis", "1", at: other.quay)
        try await other.site.running { () async throws in #expect(try await other.get("/v2/all/redis/manifests/1").status == .ok) }
        #expect(try await other.packages(of: "quay") == ["redis"])
        #expect(other.hub.asked.allSatisfy { $0.address.hasPrefix("v2/library/redis/") })
    }

    @Test("what a member calls an image is owned by its owner as well")
    func owned() async throws {
        let names = try await NamesSite(owns: "library/*")
        try names.put("library/redis", "1", at: names.hub)
        try await names.site.running { () async throws in #expect(try await names.get("/v2/all/redis/manifests/1").status == .notFound) }
        #expect(names.hub.asked.isEmpty)
    }

    @Test("a layer is mounted from a group out of the member that has it under the longer name")
    func mounted() async throws {
        let names = try await NamesSite()
        try names.put("library/redis", "1", at: names.hub)
        let layer = try digest("layer")
        try await names.site.running { () async throws in
            #expect(try await names.get("/v2/all/redis/blobs/\(layer)").status == .ok)
            #expect(try await names.get("/v2/all/team/app/blobs/uploads/?mount=\(layer)&from=all/redis", .post).status == .created)
            #expect(try await names.get("/v2/local/team/app/blobs/\(layer)").status == .ok)
        }
    }
}

@Suite("Routing rules") struct RoutingRuleTests {
    @Test("of a repository are looked at before anything else, for reads and writes, and not for the ping")
    func own() async throws {
        let names = try await NamesSite(hub: { try $0.blocking("^/library/redis/", "/secret") })
        try names.put("library/redis", "1", at: names.hub)
        try names.put("library/other", "1", at: names.hub)
        try await names.site.running { () async throws in
            for path in ["redis/manifests/1", "library/redis/manifests/1", "redis/tags/list", "team/secret/manifests/1"] {
                let answer = try await names.get("/v2/hub/\(path)")
                #expect(answer.status == .forbidden, "\(answer.status) \(answer.text)")
            }
            #expect(try await names.get("/repository/hub/v2/").status == .ok)
            #expect(names.hub.asked.isEmpty)
            #expect(try await names.get("/v2/hub/other/manifests/1").status == .ok)
        }
    }

    @Test("of a group are looked at for the request, by the name that the client uses")
    func group() async throws {
        let names = try await NamesSite(group: { try $0.allowing("^/team/", "^/redis/") })
        try names.put("library/redis", "1", at: names.hub)
        try names.put("library/other", "1", at: names.hub)
        try await names.site.running { () async throws in
            #expect(try await names.get("/v2/all/redis/manifests/1").status == .ok)
            for path in ["other/manifests/1", "library/other/manifests/1", "library/redis/manifests/1"] {
                #expect(try await names.get("/v2/all/\(path)").status == .forbidden)
            }
            #expect(try await names.get("/v2/all/other/blobs/uploads/", .post).status == .forbidden)
            #expect(try await names.get("/v2/all/team/app/blobs/uploads/", .post).status == .accepted)
        }
        #expect(names.hub.asked.allSatisfy { !$0.address.contains("other") })
    }

    @Test("of a member make it as if it had nothing, also where it keeps it, and are no trouble")
    func member() async throws {
        let names = try await NamesSite(hub: { try $0.blocking("^/library/redis/") })
        for (site, isOpen) in [(try await NamesSite(), true), (names, false)] {
            let manifest = try site.put("library/redis", "1", at: site.hub)
            try site.put("library/other", "1", at: site.hub)
            try await site.site.running { () async throws in
                #expect(try await site.get("/v2/all/redis/manifests/1").status == (isOpen ? .ok : .notFound))
                #expect(try await site.get("/v2/all/redis/manifests/\(manifest)").status == (isOpen ? .ok : .notFound))
                #expect(try await site.get("/v2/all/redis/tags/list").status == (isOpen ? .ok : .notFound))
                #expect(try await site.get("/v2/all/other/manifests/1").status == .ok)
            }
        }
        #expect(names.hub.asked.allSatisfy { !$0.address.contains("redis") })
        #expect(names.quay.asked.contains { $0.address == "v2/redis/manifests/1" })
        let mount = try await NamesSite(hub: { try $0.blocking("/blobs/") })
        try mount.put("library/redis", "1", at: mount.hub)
        let layer = try digest("layer")
        try await mount.site.running { () async throws in
            #expect(try await mount.get("/v2/all/redis/manifests/1").status == .ok)
            #expect(try await mount.get("/v2/all/redis/blobs/\(layer)").status == .notFound)
            #expect(try await mount.get("/v2/local/app/blobs/uploads/?mount=\(layer)&from=hub/redis", .post).status == .accepted)
        }
    }
}
