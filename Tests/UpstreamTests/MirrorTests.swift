import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import RepositoryEngine
import Testing

@testable import Upstream

/// Who is asked, and whose word counts.
@Suite struct MirrorTests {
    private static func site(_ latency: Int?, resting: Bool = false, digestsOnly: Bool = false) -> MirrorOrder.Site {
        MirrorOrder.Site(digestsOnly: digestsOnly, isResting: resting, latency: latency.map { .milliseconds($0) })
    }

    @Test("movable names are the canonical one's; bytes come from who is well and fast; a mirror for digests gets nothing else")
    func order() {
        let sites = [Self.site(90), Self.site(50), Self.site(10, resting: true), Self.site(20, digestsOnly: true)]
        #expect(MirrorOrder.places(sites, for: .mutable) == [0, 1, 2])
        #expect(MirrorOrder.places(sites, for: .immutable) == [1, 0, 2])
        #expect(MirrorOrder.places(sites, for: .verified) == [3, 1, 0, 2])
        #expect(MirrorOrder.places([Self.site(nil), Self.site(nil), Self.site(5)], for: .verified) == [0, 1, 2])
        #expect(MirrorOrder.places([Self.site(9), Self.site(nil)], for: .verified) == [1, 0], "one that nobody knows yet is tried")
        #expect(MirrorOrder.places([Self.site(9, resting: true), Self.site(5)], for: .mutable) == [0, 1])
    }

    private static func serving(_ text: String?, status: Int = 404) -> ScriptedServer.Script {
        { _ in text.map { .answer(200, ["Content-Type": "application/octet-stream"], $0) } ?? .answer(status) }
    }

    /// What two remotes make of a request: the text, or what went wrong.
    private func ask(
        _ canonical: @escaping ScriptedServer.Script, _ mirror: @escaping ScriptedServer.Script, _ kind: UpstreamRequest.Kind, digestsOnly: Bool = false
    ) async throws -> String {
        try await ScriptedServer.run(canonical) { first in
            try await ScriptedServer.run(mirror) { second in
                let settings = UpstreamSettings(remotes: [first.url, second.url], digestsOnly: digestsOnly ? [1] : [])
                return try await Fixture.use(settings) { upstream in
                    do {
                        let answer = try await upstream.send(UpstreamRequest(.get, UpstreamResource(.below("a"), accept: ["application/x"]), kind: kind))
                        return String(buffer: try await answer.body.collect(upTo: 1000) ?? .init())
                    } catch let error as UpstreamError {
                        return "\(error.code)"
                    }
                }
            }
        }
    }

    @Test("a mirror stands in for a canonical one in trouble, and its miss is no miss then")
    func trouble() async throws {
        #expect(try await self.ask(Self.serving(nil, status: 500), Self.serving("mirror"), .mutable) == "mirror")
        #expect(try await self.ask(Self.serving(nil, status: 500), Self.serving(nil), .mutable) == "trouble(RepositoryEngine.Trouble.failed)")
        #expect(try await self.ask(Self.serving(nil, status: 500), Self.serving(nil), .verified) == "trouble(RepositoryEngine.Trouble.failed)")
        #expect(try await self.ask(Self.serving(nil, status: 500), Self.serving("mirror"), .verified) == "mirror")
    }

    @Test("the canonical one's miss is one, and a mirror that lacks something does not hide it")
    func miss() async throws {
        #expect(try await self.ask(Self.serving(nil), Self.serving("mirror"), .mutable) == "absent")
        #expect(try await self.ask(Self.serving("canonical"), Self.serving(nil), .verified) == "canonical")
        #expect(try await self.ask(Self.serving("canonical"), Self.serving("mirror"), .mutable) == "canonical")
    }

    @Test("a mirror that is trusted for digests alone stands in for nothing else")
    func digests() async throws {
        let down = Self.serving(nil, status: 500)
        #expect(try await self.ask(down, Self.serving("mirror"), .mutable, digestsOnly: true) == "trouble(RepositoryEngine.Trouble.failed)")
        #expect(try await self.ask(down, Self.serving("mirror"), .immutable, digestsOnly: true) == "trouble(RepositoryEngine.Trouble.failed)")
        #expect(try await self.ask(down, Self.serving("mirror"), .verified, digestsOnly: true) == "mirror")
    }

    @Test("a web page in the place of a file leads on to the next, and one that was reproached is asked last")
    func reproach() async throws {
        let page: ScriptedServer.Script = { _ in .answer(200, ["Content-Type": "text/html"], "sign in") }
        #expect(try await self.ask(page, Self.serving("mirror"), .verified) == "mirror")
        try await ScriptedServer.run(Self.serving("lies")) { first in
            try await ScriptedServer.run(Self.serving("mirror")) { second in
                try await Fixture.use(UpstreamSettings(remotes: [first.url, second.url])) { upstream in
                    let request = UpstreamRequest(.get, Fixture.resource, kind: .verified)
                    let answer = try await upstream.send(request)
                    #expect(String(buffer: try await answer.body.collect(upTo: 10) ?? .init()) == "lies")
                    answer.reproach()
                    #expect(String(buffer: try await upstream.send(request).body.collect(upTo: 10) ?? .init()) == "mirror")
                    #expect(upstream.figures.sites.map(\.breaker) == [.closed, .closed], "one bad file leaves nobody without the others")
                }
            }
        }
    }
}
