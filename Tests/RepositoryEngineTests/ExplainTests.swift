import ArtifactModel
import FormatAPI
import FormatTestKit
import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import RepositoryEngine

/// The decision trace: what it says, and that asking for it changes nothing.
@Suite("Explain")
struct ExplainTests {
    private struct Fixture {
        let upstream = ScriptedUpstream()
        let site: TestSite

        init(_ onMemberError: GroupPart.OnMemberError = .skip) async throws {
            self.site = try await TestSite.make(
                ListFormat(), site: NoSettings(),
                [
                    .init("local"), try TestSite.Plan("mine").owning("private*"), .proxy("p", of: self.upstream),
                    try TestSite.Plan("ruled").blocking("^/secret"), try .group("g", of: ["local", "mine", "p"], onMemberError: onMemberError),
                ])
        }

        func explain(_ path: String, _ method: HTTPRequest.Method = .get, _ explain: IncomingRequest.Explain = .asked(local: true)) async throws -> TestResponse
        {
            var request = TestRequest(method, "/repository/\(path)")
            request.explain = explain
            return try await self.site.send(request)
        }

        func trace(_ path: String) async throws -> Trace {
            let answer = try await self.explain(path)
            #expect(answer.headers[.contentType] == "application/json" && answer.status == .ok)
            return try JSONDecoder().decode(Trace.self, from: Data(answer.text.utf8))
        }
    }

    private struct Trace: Decodable {
        struct Answer: Decodable {
            var status: Int
            var cache: String?
            var message: String?
            var skippedMembers: [String]
        }
        struct Step: Decodable {
            var repository: String?
            var question: String
            var answer: String
        }
        var answer: Answer
        var steps: [Step]
        func says(_ repository: String, _ words: String) -> Bool {
            self.steps.contains { $0.repository == repository && "\($0.question) \($0.answer)".contains(words) }
        }
    }

    @Test("a dry run asks the upstream by HEAD, keeps nothing, remembers no miss, counts no use, and renders nothing")
    func dry() async throws {
        let fixture = try await Fixture()
        fixture.upstream.put("p", .init("1.0 aa http://up/1.0\n", entityTag: "\"1\""))
        try await fixture.site.running {
            let found = try await fixture.trace("p/p")
            #expect(found.answer.status == 200 && found.says("p", "not kept") && found.says("p", "it has this"))
            let absent = try await fixture.trace("p/q")
            #expect(absent.answer.status == 404 && absent.says("p", "it does not have this"))
            #expect(fixture.upstream.asked.allSatisfy { $0.method == "HEAD" })
            let page = try await fixture.site.content(of: "p").list(ContentQuery(.folder(nil), limit: 10))
            #expect(page.rows.isEmpty && fixture.site.fills.count == 0 && fixture.site.contents.documents.rendered == 0)
            fixture.upstream.put("q", .init("1.0 aa http://up/1.0\n"))
            #expect(try await fixture.site.send(TestRequest(.get, "/repository/p/q")).status == .ok)
        }
    }

    @Test("to an audit an explanation is no pull, and nobody was kept from anything")
    func audited() async throws {
        let fixture = try await Fixture()
        fixture.upstream.put("p", .init("1.0 aa http://up/1.0\n", entityTag: "\"1\""))
        try await fixture.site.running {
            #expect(try await fixture.site.send(TestRequest(.get, "/repository/p/p")).audit.digest.isEmpty == false)
            for path in ["p/p", "p/q", "ruled/secret"] {
                let note = try await fixture.explain(path).audit
                #expect(note.action == .explain && note.digest.isEmpty && note.rule.isEmpty && note.subject == String(path.split(separator: "/")[1]))
            }
        }
    }

    @Test("what is kept is said with its age, and trouble with what is done about it")
    func kept() async throws {
        let fixture = try await Fixture()
        fixture.upstream.put("p", .init("1.0 aa http://up/1.0\n", entityTag: "\"1\""))
        try await fixture.site.running {
            #expect(try await fixture.site.send(TestRequest(.get, "/repository/p/p")).status == .ok)
            fixture.site.clock.advance(by: .seconds(30))
            let fresh = try await fixture.trace("p/p")
            #expect(fresh.answer.cache == "HIT" && fresh.says("p", "confirmed 30 s ago"))
            fixture.site.clock.advance(by: .seconds(1000))
            for _ in 0..<9 { fixture.upstream.script(.fail(UpstreamError(.trouble(.unreachable), "http://up cannot be reached"))) }
            let stale = try await fixture.trace("p/p")
            #expect(stale.answer.cache == "STALE" && stale.answer.status == 200 && stale.says("p", "cannot be reached"))
            let missing = try await fixture.trace("g/r")
            #expect(missing.answer.status == 503 && missing.says("p", "onMemberError: skip"))
        }
    }

    @Test("who was not asked, and why, and which rule refuses")
    func passedOver() async throws {
        let fixture = try await Fixture()
        try await fixture.site.running {
            let owned = try await fixture.trace("g/private-a")
            #expect(owned.says("p", "another repository owns this name") && owned.says("local", "another repository owns this name"))
            #expect(fixture.upstream.asked.isEmpty)
            let ruled = try await fixture.trace("ruled/secret")
            #expect(ruled.says("ruled", "does not allow it") && ruled.answer.message?.contains("routing rule") == true)
        }
    }

    @Test("only who may ask is told, and only what reads is explained")
    func refused() async throws {
        let fixture = try await Fixture()
        try await fixture.site.running {
            let refused = try await fixture.explain("p/p", .get, .asked(local: false))
            #expect(refused.status == .badRequest && refused.text.contains("127.0.0.1"))
            #expect(try await fixture.explain("local/p/1", .put).text.contains("only GET and HEAD"))
            #expect(fixture.upstream.asked.isEmpty)
            #expect(try await fixture.site.send(TestRequest(.get, "/repository/local/p")).status == .notFound)
        }
    }

    @Test("an address is shown without its query and credentials")
    func shown() {
        #expect(UpstreamResource(.absolute("https://u:p@host/a?token=x#y")).shown == "https://host/a")
        #expect(UpstreamResource(.below("a/b?token=x")).shown == "a/b")
        #expect(UpstreamResource(.absolute("https://host/a@b")).shown == "https://host/a@b")
    }
}
