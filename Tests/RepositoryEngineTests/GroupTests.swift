import ArtifactModel
import FormatAPI
import FormatTestKit
import NIOCore
import StorageAPI
import Testing

@testable import RepositoryEngine

/// Groups over the real engine: hosted repositories in memory, proxies of upstreams that follow a script.
@Suite("Groups")
struct GroupTests {
    private static let down = UpstreamError(.trouble(.unreachable), "http://down.example cannot be reached")

    private struct Fixture {
        let first = ScriptedUpstream()
        let second = ScriptedUpstream()
        let site: TestSite

        /// `g` is local, p1, p2; `outer` has it twice, once behind itself.
        init(_ onMemberError: GroupPart.OnMemberError = .fail, owns: String? = nil) async throws {
            let local = TestSite.Plan("local")
            self.site = try await TestSite.make(
                SilentFormat(), site: NoSettings(),
                [
                    try owns.map { try local.owning($0) } ?? local, .proxy("p1", of: self.first), .proxy("p2", of: self.second), .init("other"),
                    try .group("g", of: ["local", "p1", "p2"], writeTo: "local", onMemberError: onMemberError),
                    try .group("outer", of: ["g", "p1", "other", "outer"], onMemberError: onMemberError),
                    try .group("public", of: ["p1", "p2"], onMemberError: onMemberError),
                ])
        }

        func stop(_ upstream: ScriptedUpstream) { for _ in 0..<20 { upstream.script(.fail(GroupTests.down)) } }

        func write(_ text: String, _ path: String, to repository: String) async throws {
            let content = try self.site.content(of: repository)
            let blob = try await content.stage(.chunks([ByteBuffer(string: text)]), StageDemand())
            try await content.commit(
                Edit([.putAsset(NewAsset(try AssetPath(path.split(separator: "/").map(String.init)), blob, contentType: "text/plain"), .byPolicy)]))
        }

        func want(_ path: String, _ change: Mutability = .mutable, digest: String? = nil) throws -> ContentRequest {
            ContentRequest(
                try AssetPath(path.split(separator: "/").map(String.init)), change, upstream: UpstreamResource(.below(path)),
                expecting: try digest.map { [try GroupTests.digest($0)] } ?? [])
        }

        func get(_ path: String, from group: String = "g", _ change: Mutability = .mutable, digest: String? = nil) async throws -> (
            text: String, member: String, skipped: [String]
        )? {
            guard let found = try await self.site.content(of: group).content(try self.want(path, change, digest: digest)) else { return nil }
            return (String(buffer: try await found.source.whole()), found.member.text, found.skippedMembers.map(\.text))
        }

        func names(_ group: String, _ folder: String? = nil, after: String? = nil, limit: Int = 100) async throws -> [String] {
            let folder = try folder.map { try AssetPath($0.split(separator: "/").map(String.init)) }
            return try await self.site.content(of: group).list(ContentQuery(.folder(folder), after: after, limit: limit)).rows.map(\.name)
        }

        func running(_ body: () async throws -> Void) async throws { try await self.site.running(body) }
    }

    private static func digest(_ text: String) throws -> ContentDigest {
        var hasher = MultiHasher([])
        hasher.update([ByteBuffer(string: text)])
        return try #require(hasher.digests().first)
    }

    private func code(_ body: () async throws -> Void) async -> FormatError.Code? {
        do {
            try await body()
            return nil
        } catch { return FormatError(error).code }
    }

    @Test("a path means what the first member says that has it; a miss goes on; the network is not asked for what is hosted before it")
    func order() async throws {
        let fixture = try await Fixture()
        try await fixture.running {
            try await fixture.write("mine", "a", to: "local")
            for upstream in [fixture.first, fixture.second] { upstream.put("a", .init("theirs")) }
            fixture.second.put("b", .init("second's"))
            var found = try #require(try await fixture.get("a"))
            #expect(found.text == "mine" && found.member == "local")
            #expect(fixture.first.asked.isEmpty && fixture.second.asked.isEmpty)
            found = try #require(try await fixture.get("b"))
            #expect(found.text == "second's" && found.member == "p2")
            #expect(fixture.first.asked.map(\.address) == ["b"])
            #expect(try await fixture.get("c") == nil)
        }
    }

    @Test("a member in trouble ends the walk with 503 where it must not be skipped")
    func fail() async throws {
        let fixture = try await Fixture(.fail)
        fixture.stop(fixture.first)
        fixture.second.put("b", .init("second's"))
        try await fixture.running {
            try await fixture.write("mine", "a", to: "local")
            #expect(try await fixture.get("a")?.text == "mine")
            #expect(await self.code { _ = try await fixture.get("b") } == .unavailable)
            #expect(fixture.second.asked.isEmpty)
        }
    }

    @Test("a member in trouble is skipped where that is said, the answer names it, and what nobody else has is not called absent")
    func skip() async throws {
        let fixture = try await Fixture(.skip)
        fixture.stop(fixture.first)
        fixture.second.put("b", .init("second's"))
        try await fixture.running {
            let found = try #require(try await fixture.get("b"))
            #expect(found.text == "second's" && found.skipped == ["p1"])
            #expect(await self.code { _ = try await fixture.get("c") } == .unavailable)
        }
    }

    @Test("what a digest names comes from any member that keeps it, before any upstream is asked")
    func keptFirst() async throws {
        let fixture = try await Fixture(.fail)
        fixture.second.put("x", .init("bytes"))
        try await fixture.running {
            let fetched = try await fixture.get("x", from: "p2", .immutable, digest: "bytes")
            #expect(fetched?.text == "bytes")
            await fixture.site.fills.settled()
            fixture.stop(fixture.first)
            fixture.stop(fixture.second)
            #expect(try await fixture.get("x", .immutable, digest: "bytes")?.member == "p2")
            #expect(fixture.first.asked.isEmpty)
        }
    }

    @Test("an owned name is asked of its owner alone, in every group: no request for it reaches an upstream, found or not")
    func owned() async throws {
        let fixture = try await Fixture(owns: "team/**")
        for upstream in [fixture.first, fixture.second] {
            upstream.put("team/a", .init("stranger's"))
            upstream.put("team/b", .init("stranger's"))
        }
        try await fixture.running {
            try await fixture.write("mine", "team/a", to: "local")
            for group in ["g", "outer"] {
                #expect(try await fixture.get("team/a", from: group)?.text == "mine")
                #expect(try await fixture.get("team/b", from: group) == nil)
                #expect(try await fixture.get("team/b", from: group, .immutable, digest: "x") == nil)
            }
            #expect(try await fixture.get("team/a", from: "public") == nil)
            let name = PointerName(package: PackageName(namespace: "team", name: "a"), kind: "tag", name: "1")
            #expect(try await fixture.site.content(of: "g").resolve(PointerRequest(name, upstream: UpstreamResource(.below("team/a")))) == nil)
            #expect(try await fixture.site.content(of: "g").forward(UpstreamCall(UpstreamResource(.below("team/a")))) == nil)
            #expect(fixture.first.asked.isEmpty && fixture.second.asked.isEmpty)
            // Beside the group it is as it was.
            #expect(try await fixture.get("team/a", from: "p1")?.text == "stranger's")
            // What cannot be had is not listed.
            await fixture.site.fills.settled()
            #expect(try await fixture.names("p1", "team") == ["a"])
            #expect(try await fixture.names("public", "team") == [])
            #expect(try await fixture.names("g", "team") == ["a"])
        }
    }

    @Test("a question that is posted goes on as it is, to the first upstream that knows")
    func posted() async throws {
        let fixture = try await Fixture()
        fixture.second.put("audit", .init("nothing is wrong"))
        let post = UpstreamCall.Post(contentType: "application/json", body: ByteBuffer(string: "{}"))
        try await fixture.site.running {
            let reply = try await fixture.site.content(of: "g").forward(UpstreamCall(UpstreamResource(.below("audit")), post: post))
            #expect(reply.map { String(buffer: $0.body) } == "nothing is wrong")
            for upstream in [fixture.first, fixture.second] { #expect(upstream.asked.map(\.method) == ["POST"] && upstream.asked.map(\.post) == [post]) }
        }
    }

    @Test("groups in groups stand for their members, each once; one that contains itself ends")
    func nested() async throws {
        let fixture = try await Fixture()
        try await fixture.running {
            try await fixture.write("other's", "o", to: "other")
            #expect(try await fixture.get("o", from: "outer")?.member == "other")
            #expect(fixture.first.asked.count == 1 && fixture.second.asked.count == 1)
        }
    }

    @Test("folders are merged in byte order, each name once, and paged")
    func folders() async throws {
        let fixture = try await Fixture()
        for (path, repository) in [("b", "local"), ("f/x", "local"), ("a", "other"), ("b", "other"), ("f", "other"), ("f/y", "other"), ("é", "other")] {
            try await fixture.write("1", path, to: repository)
        }
        #expect(try await fixture.names("outer") == ["a", "b", "f", "f", "é"])
        #expect(try await fixture.names("outer", "f") == ["x", "y"])
        var after: String?
        var pages: [[String]] = []
        repeat {
            let page = try await fixture.site.content(of: "outer").list(ContentQuery(.folder(nil), after: after, limit: 1))
            pages.append(page.rows.map(\.name))
            after = page.more ? page.rows.last?.name : nil
        } while after != nil
        #expect(pages == [["a"], ["b"], ["f", "f"], ["é"]])
    }

    @Test("a pointer is what the first member says, with its name; trouble is no absence")
    func pointers() async throws {
        let fixture = try await Fixture(.fail)
        let name = PointerName(package: PackageName(name: "app"), kind: "tag", name: "1")
        let want = PointerRequest(name, upstream: UpstreamResource(.below("tag")))
        fixture.second.put("tag", .init("target"))
        try await fixture.running {
            let pointer = try #require(try await fixture.site.content(of: "g").resolve(want))
            #expect(pointer.member.text == "p2")
            try await fixture.site.content(of: "local").commit(Edit([.point(name, to: "here", .always)]))
            #expect(try await fixture.site.content(of: "g").resolve(want)?.target == "here")
            fixture.stop(fixture.first)
            let other = PointerRequest(PointerName(package: PackageName(name: "app"), kind: "tag", name: "2"), upstream: UpstreamResource(.below("tag")))
            #expect(await self.code { _ = try await fixture.site.content(of: "g").resolve(other) } == .unavailable)
        }
    }

    @Test("writes go to the member that is named for them, under its policy; without one they are no method")
    func writes() async throws {
        let fixture = try await Fixture()
        try await fixture.write("new", "w", to: "g")
        #expect(try await fixture.get("w", from: "local")?.text == "new")
        try await fixture.site.content(of: "g").commit(Edit([.removeAsset(try AssetPath(["w"]))]))
        #expect(try await fixture.get("w", from: "local") == nil)
        #expect(await self.code { try await fixture.write("new", "w", to: "outer") } == .methodNotAllowed)
        #expect(await self.code { _ = try await fixture.site.content(of: "outer").uploads(in: "x").begin() } == .methodNotAllowed)
    }

    @Test("a name that another repository owns is not written where nobody would find it")
    func writesOwned() async throws {
        let site = try await TestSite.make(
            SilentFormat(), site: NoSettings(),
            [.init("local"), try .init("team").owning("team/**"), try .group("g", of: ["local", "team"], writeTo: "local")])
        let content = try site.content(of: "g")
        let blob = try await content.stage(.chunks([ByteBuffer(string: "x")]), StageDemand())
        let code = await self.code {
            try await content.commit(Edit([.putAsset(NewAsset(try AssetPath(["team", "a"]), blob, contentType: "text/plain"), .byPolicy)]))
        }
        #expect(code == .readOnly)
        #expect(await self.code { _ = try await content.uploads(in: "team/a").begin() } == .readOnly)
    }

    @Test("what another member has is taken over, kept or cold, and is then the target's own")
    func adopts() async throws {
        let fixture = try await Fixture()
        fixture.second.put("x", .init("cold"))
        fixture.second.put("y", .init("warm"))
        try await fixture.running {
            #expect(try await fixture.get("y", from: "p2", .immutable, digest: "warm")?.text == "warm")
            await fixture.site.fills.settled()
            let group = try fixture.site.content(of: "g")
            #expect(try await group.adopt(try fixture.want("x", .immutable, digest: "cold")))
            #expect(try await group.adopt(try fixture.want("y", .immutable, digest: "warm")))
            #expect(try await !group.adopt(try fixture.want("z", .immutable, digest: "nowhere")))
            #expect(try await fixture.get("x", from: "local", .immutable)?.text == "cold")
            #expect(try await fixture.get("y", from: "local", .immutable)?.text == "warm")
            #expect(fixture.second.asked.filter { $0.method == "GET" && $0.address == "x" }.count == 1)
        }
    }

    @Test("a link from a group is one from the member that has the bytes")
    func links() async throws {
        let fixture = try await Fixture()
        fixture.first.put("base", .init("layer"))
        try await fixture.running {
            _ = try await fixture.get("base", .immutable, digest: "layer")
            await fixture.site.fills.settled()
            let link = Edit([.link(try AssetPath(["app"]), from: try RepositoryName("g"), try AssetPath(["base"]))])
            try await fixture.site.content(of: "other").commit(link)
            #expect(try await fixture.get("app", from: "other", .immutable)?.text == "layer")
            let none = Edit([.link(try AssetPath(["app"]), from: try RepositoryName("g"), try AssetPath(["none"]))])
            await #expect(throws: Edit.Refused.link(0)) { try await fixture.site.content(of: "other").commit(none) }
        }
    }
}
