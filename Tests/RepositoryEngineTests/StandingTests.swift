import AccessControl
import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import StorageAPI
import Synchronization
import Testing

@testable import RepositoryEngine

/// Which answers may be given again unasked, and how long: over the real engine, with documents of a small format.
@Suite("Answers that stand")
struct StandingTests {
    private struct Fixture {
        let upstream = ScriptedUpstream()
        let site: TestSite

        init() async throws {
            let plans: [TestSite.Plan] = [
                .init("local"), .init("apart"), .proxy("p", of: self.upstream), try .group("g", of: ["local", "p"]),
                try .group("skipping", of: ["local", "p"], onMemberError: .skip),
            ]
            self.site = try await TestSite.make(ListFormat(), site: NoSettings(), plans)
            self.upstream.put("q", .init("1.0 277089d9 up/1.0\n"))
        }

        func standing(_ path: String, _ method: HTTPRequest.Method = .get, _ change: (inout TestRequest) -> Void = { _ in }) async throws -> Standing? {
            var request = TestRequest(method, "/repository/\(path)")
            change(&request)
            return try await self.site.send(request).standing
        }

        func publish(_ path: String) async throws {
            #expect(try await self.site.send(TestRequest(.put, "/repository/\(path)", body: [.init(string: "bytes")])).status == .created)
        }

        func holds(_ standing: Standing?) throws -> Bool { try #require(standing).holds(at: self.site.clock.now) }
    }

    @Test("hosted: until something changes in the repository, and for a minute at most")
    func hosted() async throws {
        let fixture = try await Fixture()
        try await fixture.site.running {
            try await fixture.publish("local/a/1.0")
            let standing = try await fixture.standing("local/a")
            #expect(try fixture.holds(standing))
            try await fixture.publish("apart/a/1.0")
            #expect(try fixture.holds(standing))
            try await fixture.publish("local/b/1.0")
            #expect(try !fixture.holds(standing))
            let again = try await fixture.standing("local/a")
            #expect(try fixture.holds(again))
            fixture.site.clock.advance(by: .seconds(61))
            #expect(try !fixture.holds(again))
        }
    }

    @Test("a blob that is found bad ends all that stands")
    func lost() async throws {
        let fixture = try await Fixture()
        try await fixture.site.running {
            try await fixture.publish("local/a/1.0")
            let standing = try await fixture.standing("local/a")
            fixture.site.forget(try #require(ContentDigest(.sha256, repeatElement(1, count: 32))))
            #expect(try !fixture.holds(standing))
        }
    }

    @Test("proxy: what has just come stands once, what is kept as long as it is fresh")
    func proxy() async throws {
        let fixture = try await Fixture()
        try await fixture.site.running {
            #expect(try await fixture.standing("p/q") == nil)
            fixture.site.clock.advance(by: .seconds(590))
            let standing = try await fixture.standing("p/q")
            #expect(try fixture.holds(standing))
            fixture.site.clock.advance(by: .seconds(11))
            #expect(try !fixture.holds(standing))
            // Confirmed by the upstream, and then in the cache again.
            #expect(try await fixture.standing("p/q") == nil)
            #expect(try fixture.holds(try await fixture.standing("p/q")))
            for _ in 0..<20 { fixture.upstream.script(.fail(UpstreamError(.trouble(.unreachable), "down"))) }
            fixture.site.clock.advance(by: .seconds(700))
            #expect(try await fixture.standing("p/q") == nil, "what is stale is asked for each time")
        }
    }

    @Test("group: as long as all of its members stand, absence too; a member's change ends it, and one that is left out lets none begin")
    func group() async throws {
        let fixture = try await Fixture()
        try await fixture.site.running {
            try await fixture.publish("local/q/2.0")
            _ = try await fixture.standing("g/q")
            let standing = try await fixture.standing("g/q")
            #expect(try fixture.holds(standing))
            try await fixture.publish("local/q/2.1")
            #expect(try !fixture.holds(standing))
            try await fixture.publish("local/mine/1.0")
            // The upstream has none of this name, which is known for as long as its word is good.
            _ = try await fixture.standing("g/mine")
            let absent = try await fixture.standing("g/mine")
            #expect(try fixture.holds(absent))
            for _ in 0..<20 { fixture.upstream.script(.fail(UpstreamError(.trouble(.unreachable), "down"))) }
            try await fixture.publish("local/new/1.0")
            #expect(try await fixture.standing("skipping/new") == nil)
        }
    }

    @Test("nothing stands that asks with credentials, asks why, writes or is refused")
    func others() async throws {
        let fixture = try await Fixture()
        try await fixture.site.running {
            try await fixture.publish("local/a/1.0")
            #expect(try await fixture.standing("local/a", .head) != nil)
            #expect(try await fixture.standing("local/a") { $0.credentials = .basic(name: "somebody", secret: "x") } == nil)
            #expect(try await fixture.standing("local/a") { $0.explain = .asked(local: true) } == nil)
            #expect(try await fixture.standing("local/none") == nil)
            #expect(try await fixture.standing("local/a/1.1", .put) == nil)
        }
    }

    @Test("a clock that is set back does not make it last")
    func clock() async throws {
        let fixture = try await Fixture()
        try await fixture.site.running {
            try await fixture.publish("local/a/1.0")
            let standing = try #require(try await fixture.standing("local/a"))
            #expect(!standing.holds(at: fixture.site.clock.now - .seconds(3600)))
        }
    }

    @Test("one question that is not settled, or one word against it, and the answer is good for once")
    func notes() {
        let notes = RequestNotes()
        #expect(notes.repetition != nil)
        notes.beginQuestion()
        #expect(notes.repetition == nil)
        notes.stands(until: Timestamp(milliseconds: 7))
        notes.beginQuestion()
        notes.stands(until: Timestamp(milliseconds: 5))
        notes.beginQuestion()
        notes.stands(until: nil)
        #expect(notes.repetition?.until == Timestamp(milliseconds: 5))
        notes.standsOnce()
        #expect(notes.repetition == nil)
    }

    @Test("each time that it is given, the file that it was made of counts as used")
    func uses() async throws {
        let (fixture, book) = (try await Fixture(), Uses())
        try await fixture.site.running {
            _ = try await fixture.standing("p/q")
            let standing = try #require(try await fixture.standing("p/q"))
            try await fixture.site.contents.usages.flush(to: book, now: fixture.site.clock.now, everything: true)
            for _ in 0..<4 { standing.noteUse() }
            fixture.site.clock.advance(by: .seconds(1))
            standing.noteUse()
            try await fixture.site.contents.usages.flush(to: book, now: fixture.site.clock.now, everything: true)
            #expect(book.all.last.map { $0.downloads } == 5 && book.all.last?.lastUsed == fixture.site.clock.now)
        }
    }
}

private final class Uses: UsageLedger {
    private let noted = Mutex<[AssetUse]>([])
    var all: [AssetUse] { self.noted.withLock { $0 } }
    func note(_ uses: [AssetUse]) async throws(MetadataError) { self.noted.withLock { $0 += uses } }
}
