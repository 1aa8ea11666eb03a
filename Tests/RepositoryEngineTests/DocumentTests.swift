import ArtifactModel
import Compression
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import StorageAPI
import Testing

@testable import RepositoryEngine

/// Documents of a small format, over the real engine: hosted in memory, proxies of upstreams that follow a script.
@Suite("Derived documents")
struct DocumentTests {
    private struct Fixture {
        let upstream = ScriptedUpstream()
        let site: TestSite
        private static let down = UpstreamError(.trouble(.unreachable), "down")

        init(_ onMemberError: GroupPart.OnMemberError = .fail, owning: String? = nil) async throws {
            let plans: [TestSite.Plan] = [
                .init("local"), try owning.map { try TestSite.Plan("other").owning($0) } ?? .init("other"),
                .proxy("p", of: self.upstream).caching { $0.revalidateDeadline = .seconds(5) },
                try .group("g", of: ["local", "p", "other"], onMemberError: onMemberError),
                try TestSite.Plan.proxy("ruled", of: self.upstream).allowing("^/p($|/)"), try .group("gr", of: ["local", "ruled"]),
            ]
            self.site = try await TestSite.make(ListFormat(), site: NoSettings(), plans)
        }

        func get(_ path: String, root: String? = nil, _ method: HTTPRequest.Method = .get) async throws -> TestResponse {
            let own = try root.map { try RepositoryName($0) }
            return try await self.site.send(TestRequest(method, own == nil ? "/repository/\(path)" : "/\(path)", ownRoot: own))
        }

        func text(_ path: String) async throws -> String { try await self.get(path).text }

        func publish(_ path: String, _ text: String = "bytes") async throws {
            let answer = try await self.site.send(TestRequest(.put, "/repository/\(path)", body: [ByteBuffer(string: text)]))
            #expect(answer.status == .created)
        }

        var rendered: Int { self.site.contents.documents.rendered }
        func stop() { for _ in 0..<50 { self.upstream.script(.fail(Self.down)) } }
        func running(_ body: () async throws -> Void) async throws { try await self.site.running(body) }
    }

    private static let digest = "277089d9"

    private static func list(_ key: String, _ lines: String...) -> String { (["list \(key)"] + lines).map { $0 + "\n" }.joined() }

    @Test("hosted: what is published is in it at once, with the address that the client came by; and rendered once")
    func hosted() async throws {
        let fixture = try await Fixture()
        try await fixture.running {
            #expect(try await fixture.get("local/p").status == .notFound)
            try await fixture.publish("local/p/1.0")
            try await fixture.publish("local/p/1.1")
            let answer = try await fixture.get("local/p")
            let base = "http://localhost/repository/local/p"
            #expect(answer.text == Self.list("p", "1.0 \(Self.digest) \(base)/1.0", "1.1 \(Self.digest) \(base)/1.1"))
            #expect(answer.head?.entityTag == "\"\(try #require(answer.head).digests[0])\"")
            let made = fixture.rendered
            for _ in 0..<10 { #expect(try await fixture.get("local/p").head?.entityTag == answer.head?.entityTag) }
            #expect(fixture.rendered == made)
            let own = try await fixture.get("p", root: "local")
            #expect(own.text == Self.list("p", "1.0 \(Self.digest) http://localhost/p/1.0", "1.1 \(Self.digest) http://localhost/p/1.1"))
        }
    }

    @Test("hosted: a version that is removed or put anew, and a pointer that moves, are seen by the next GET")
    func changes() async throws {
        let fixture = try await Fixture()
        try await fixture.running {
            try await fixture.publish("local/p/1.0")
            try await fixture.publish("local/p/1.1")
            _ = try await fixture.get("local/p")
            #expect(try await fixture.get("local/p/1.0", .delete).status == .noContent)
            #expect(try await fixture.text("local/p").contains("1.0") == false)
            try await fixture.publish("local/p/1.1", "others")
            #expect(try await fixture.text("local/p").contains(Self.digest) == false)
            #expect(try await fixture.site.send(TestRequest(.put, "/repository/local/p/latest/1.1")).status == .created)
            #expect(try await fixture.text("local/p").hasSuffix("latest=1.1\n"))
            #expect(try await fixture.get("local/p/1.1", .delete).status == .noContent)
            #expect(try await fixture.get("local/p").status == .notFound)
            // There is always a list of all.
            #expect(try await fixture.text("local/") == "list \n")
        }
    }

    @Test("hosted: 64 publishes at once are all in it, and so they are where 16 readers read all the while")
    func concurrent() async throws {
        let fixture = try await Fixture()
        try await fixture.running {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<64 { group.addTask { try await fixture.publish("local/p/\(number)") } }
                for _ in 0..<16 {
                    group.addTask { for _ in 0..<20 { _ = try await fixture.get("g/p") } }
                }
                try await group.waitForAll()
            }
            let lines = try await fixture.text("local/p").split(separator: "\n").dropFirst()
            #expect(Set(lines.map { $0.prefix { $0 != " " } }) == Set((0..<64).map { "\($0)" }))
            let made = fixture.rendered
            _ = try await fixture.text("local/p")
            #expect(fixture.rendered == made)
        }
    }

    @Test("proxy: the upstream's bytes with the slots replaced; asked once, rendered once; what a version says at its origin is known")
    func proxy() async throws {
        let fixture = try await Fixture()
        fixture.upstream.put("p", .init("2.0 aa http://up/p/2.0\n2.1 bb http://up/p/2.1\n", entityTag: "\"1\""))
        try await fixture.running {
            let base = "http://localhost/repository/p/p"
            let answers = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<20 { group.addTask { try await fixture.text("p/p") } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(answers == [Self.list("p", "2.0 aa \(base)/2.0", "2.1 bb \(base)/2.1")])
            #expect(fixture.upstream.asked.count == 1 && fixture.rendered == 1)
            #expect(try await fixture.text("p/p/2.1") == "p http://up/p/2.1")
            #expect(try await fixture.get("p/q").status == .notFound)
        }
    }

    @Test("proxy: a change is seen after maxAge, a version newer than the list at once, garbage and trouble never take a good list's place")
    func fresh() async throws {
        let fixture = try await Fixture()
        fixture.upstream.put("p", .init("2.0 aa http://up/2.0\n", entityTag: "\"1\""))
        try await fixture.running {
            _ = try await fixture.text("p/p")
            fixture.upstream.put("p", .init("2.0 aa http://up/2.0\n2.1 bb http://up/2.1\n", entityTag: "\"2\""))
            #expect(try await fixture.text("p/p").contains("2.1") == false)
            fixture.site.clock.advance(by: .seconds(10))
            #expect(try await fixture.text("p/p/2.1") == "p http://up/2.1")
            #expect(try await fixture.text("p/p").contains("2.1"))
            fixture.upstream.put("p", .init("<html>sorry</html>\n", entityTag: "\"3\""))
            fixture.site.clock.advance(by: .seconds(1000))
            #expect(try await fixture.text("p/p").contains("2.1"))
            fixture.upstream.put("p", .init("2.0 aa htt", entityTag: "\"4\""))
            fixture.site.clock.advance(by: .seconds(1000))
            #expect(try await fixture.text("p/p").contains("2.1"))
            fixture.stop()
            fixture.site.clock.advance(by: .seconds(1000))
            #expect(try await fixture.text("p/p").contains("2.1"))
            #expect(fixture.rendered == 2)
        }
    }

    @Test("proxy: where one form of a document has changed, the others are asked for again, once and however young; and what trouble there is leaves them")
    func forms() async throws {
        let fixture = try await Fixture()
        func put(_ version: Int) {
            for name in ["p", "p.brief"] { fixture.upstream.put(name, .init("\(version).0 aa http://up/\(version).0\n", entityTag: "\"\(version)\"")) }
        }
        func asked(_ name: String) -> Int { fixture.upstream.asked.count { $0.address == name } }
        func expect(_ text: String, at paths: String...) async throws {
            for path in paths { #expect(try await fixture.text(path).contains(text)) }
        }
        put(1)
        try await fixture.running {
            try await expect("1.0", at: "p/p", "p/p.brief")
            fixture.site.clock.advance(by: .seconds(601))
            // Confirmed just now.
            try await expect("1.0", at: "p/p.brief")
            #expect(asked("p") == 1 && asked("p.brief") == 2)
            put(2)
            // The last of them has changed too, so that the first is asked for once more, and has not.
            try await expect("2.0", at: "p/p", "p/p.brief", "p/p")
            let count = fixture.upstream.asked.count
            try await expect("2.0", at: "p/p", "p/p.brief", "p/p")
            #expect(fixture.upstream.asked.count == count)
            put(3)
            fixture.site.clock.advance(by: .seconds(10))
            try await expect("p http://up/3.0", at: "p/p/3.0")
            fixture.stop()
            try await expect("2.0", at: "p/p.brief")
        }
    }

    @Test("a small document is compressed when it is asked for so, a large one for the next who asks; once for all, and anew where it has changed")
    func compressed() async throws {
        let fixture = try await Fixture()
        func lines(_ count: Int) -> String { (0..<count).map { "\($0).0 \(String(repeating: "a", count: 60)) http://up/\($0).0\n" }.joined() }
        func same(_ gzip: any ContentSource, _ content: Content) async throws {
            var bytes = try await gzip.readAll(try #require(gzip.length), on: fixture.site.compute)
            var out = ByteBuffer()
            let decoder = GzipDecoder()
            while var piece = try decoder.decode(&bytes) { out.writeBuffer(&piece) }
            try decoder.finish()
            #expect(try await content.source.readAll(try #require(content.head.size), on: fixture.site.compute) == out)
        }
        for (name, count) in [("tiny", 1), ("small", 100), ("large", 10_000)] { fixture.upstream.put(name, .init(lines(count), entityTag: "\"1\"")) }
        try await fixture.running {
            let content = try fixture.site.content(of: "p")
            let tiny = try #require(try await content.document(VersionList.self, "tiny"))
            #expect(tiny.gzip == nil)
            let small = try #require(try await content.document(VersionList.self, "small"))
            try await same(try #require(try await small.gzip?()), small)
            let large = try #require(try await content.document(VersionList.self, "large"))
            #expect(try await large.gzip?() == nil)
            var made = try await large.gzip?()
            while made == nil {
                await Task.yield()
                made = try await large.gzip?()
            }
            try await same(try #require(made), large)
            fixture.upstream.put("small", .init(lines(200), entityTag: "\"2\""))
            fixture.site.clock.advance(by: .seconds(1000))
            let changed = try #require(try await content.document(VersionList.self, "small"))
            #expect(changed.head.size != small.head.size)
            try await same(try #require(try await changed.gzip?()), changed)
            // What is in somebody's hands stays what it was.
            try await same(try #require(try await small.gzip?()), small)
        }
    }

    @Test("what no list has is asked for again: trouble then is no absence, and a version that a member has needs no upstream")
    func containing() async throws {
        let fixture = try await Fixture()
        fixture.upstream.put("p", .init("2.0 aa http://up/2.0\n", entityTag: "\"1\""))
        try await fixture.running {
            try await fixture.publish("other/p/3.0")
            _ = try await fixture.text("g/p")
            fixture.site.clock.advance(by: .seconds(10))
            fixture.stop()
            let asked = fixture.upstream.asked.count
            #expect(try await fixture.text("g/p/3.0") == "other ?")
            #expect(fixture.upstream.asked.count == asked)
            #expect(try await fixture.get("g/p/9.9").status == .serviceUnavailable)
            #expect(try await fixture.get("p/p/9.9").status == .badGateway)
            #expect(try await fixture.get("p/p").status == .ok)
        }
    }

    @Test("a document whose kept bytes are gone from the store is fetched anew, for an entry and for the whole of it")
    func gone() async throws {
        let fixture = try await Fixture()
        fixture.upstream.put("p", .init("2.0 aa http://up/2.0\n", entityTag: "\"1\""))
        func lose() async throws {
            let path = try VersionList.path("p")
            let repository = try #require(fixture.site.repositories.first { $0.name.text == "p" })
            let asset = try #require(try await fixture.site.metadata.asset(at: path, in: repository.id))
            try await fixture.site.blobs.setAside(asset.digests[0])
            fixture.site.forget(asset.digests[0])
        }
        try await fixture.running {
            _ = try await fixture.text("p/p")
            try await lose()
            #expect(try await fixture.text("p/p/2.0") == "p http://up/2.0")
            #expect(fixture.upstream.asked.count == 2)
            try await lose()
            // At another address it is made anew.
            #expect(try await fixture.get("p", root: "p").text.contains("2.0"))
            #expect(fixture.upstream.asked.count == 3)
        }
    }

    @Test("a routing rule sees the address that a document is asked for by, and not where it is kept", arguments: ["ruled", "gr"])
    func ruled(_ repository: String) async throws {
        let fixture = try await Fixture()
        for name in ["p", "q"] { fixture.upstream.put(name, .init("2.0 aa http://up/2.0\n")) }
        try await fixture.running {
            let found = try await fixture.text("\(repository)/p")
            let other = try await fixture.get("\(repository)/q")
            #expect(found.contains("2.0") && other.status != .ok)
            #expect(fixture.upstream.asked.allSatisfy { $0.address == "p" })
        }
    }

    @Test("proxy: garbage with nothing kept is the upstream's failure, and a list that comes slowly leaves the older one to be served")
    func slow() async throws {
        let fixture = try await Fixture()
        try await fixture.running {
            fixture.upstream.put("p", .init("garbage\n"))
            #expect(try await fixture.get("p/p").status == .badGateway)
            fixture.upstream.put("p", .init("2.0 aa http://up/2.0\n", entityTag: "\"1\""))
            _ = try await fixture.text("p/p")
            fixture.upstream.put("p", .init("2.0 aa http://up/2.0\n2.1 bb http://up/2.1\n", entityTag: "\"2\""))
            fixture.site.clock.advance(by: .seconds(1000))
            fixture.upstream.script(.stall(after: 5))
            #expect(try await fixture.text("p/p").contains("2.1") == false)
            fixture.upstream.release()
            await fixture.site.fills.settled()
            #expect(try await fixture.text("p/p").contains("2.1"))
        }
    }

    @Test("group: each version once, of the first member that has it; a member's change is seen by the next GET, and nothing else is rendered")
    func group() async throws {
        let fixture = try await Fixture()
        fixture.upstream.put("p", .init("1.0 aa http://up/1.0\n2.0 bb http://up/2.0\n", entityTag: "\"1\""))
        try await fixture.running {
            try await fixture.publish("local/p/1.0")
            let base = "http://localhost/repository/g/p"
            #expect(try await fixture.text("g/p") == Self.list("p", "1.0 \(Self.digest) \(base)/1.0", "2.0 bb \(base)/2.0"))
            #expect(try await fixture.text("g/p/1.0") == "local ?")
            #expect(try await fixture.text("g/p/2.0") == "p http://up/2.0")
            let made = fixture.rendered
            _ = try await fixture.text("g/p")
            #expect(fixture.rendered == made)
            try await fixture.publish("other/p/3.0")
            #expect(try await fixture.text("g/p").hasSuffix("3.0 \(Self.digest) \(base)/3.0\n"))
            #expect(fixture.rendered == made + 1)
            #expect(try await fixture.get("g/p/3.0", .delete).status != .noContent)
            #expect(try await fixture.get("other/p/3.0", .delete).status == .noContent)
            #expect(try await fixture.text("g/p").contains("3.0") == false)
        }
    }

    @Test("group: what another repository owns is in no list of the others", arguments: ["p", ""])
    func owned(_ key: String) async throws {
        let fixture = try await Fixture(owning: "p")
        fixture.upstream.put("p", .init("9.0 aa http://up/9.0\n"))
        fixture.upstream.put("", .init("p-9.0 aa http://up/9.0\nq-1.0 aa http://up/1.0\n"))
        try await fixture.running {
            try await fixture.publish("other/p/1.0")
            let text = try await fixture.text("g/\(key)")
            #expect(text.contains("9.0") == false && text.contains("p/1.0"))
            #expect(fixture.upstream.asked.map(\.address) == (key.isEmpty ? [""] : []))
            #expect(text.contains("q-1.0") == key.isEmpty)
        }
    }

    @Test("group: a member in trouble fails it, or is left out, which the answer says, and the whole one is not rendered again for that")
    func trouble() async throws {
        for mode in [GroupPart.OnMemberError.fail, .skip] {
            let fixture = try await Fixture(mode)
            try await fixture.running {
                try await fixture.publish("local/p/1.0")
                try await fixture.publish("other/q/1.0")
                fixture.stop()
                let answer = try await fixture.get("g/p")
                let other = try await fixture.get("g/nothing")
                #expect(answer.status == (mode == .fail ? .serviceUnavailable : .ok))
                #expect(other.status == .serviceUnavailable)
                #expect(answer.skipped == (mode == .fail ? [] : ["p"]))
            }
        }
    }

    @Test("two servers over equal content make equal bytes, and so equal entity tags")
    func deterministic() async throws {
        var tags: Set<String> = []
        for order in [[1, 2, 3], [3, 1, 2]] {
            let fixture = try await Fixture()
            try await fixture.running {
                for number in order { try await fixture.publish("local/p/\(number)") }
                tags.insert(try #require(try await fixture.get("g/p").head).entityTag)
            }
        }
        #expect(tags.count == 1)
    }
}
