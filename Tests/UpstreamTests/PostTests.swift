import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import RepositoryEngine
import Testing

@testable import Upstream

@Suite("Questions that are posted", .timeLimit(.minutes(1)))
struct PostTests {
    private static let question = #"{"lodash":["4.17.0"]}"#

    private static func request(_ path: String = "audit") -> UpstreamRequest {
        UpstreamRequest(
            UpstreamCall(UpstreamResource(.below(path)), post: UpstreamCall.Post(contentType: "application/json", body: ByteBuffer(string: self.question))))
    }

    private static func text(_ upstream: RepositoryUpstream, _ path: String = "audit") async throws -> String? {
        try await upstream.send(self.request(path)).body.collect(upTo: 1000).map { String(buffer: $0) }
    }

    @Test("the body goes with its type and its length, and the answer comes back")
    func plain() async throws {
        try await ScriptedServer.run({ heard in .answer(200, [:], heard.body) }) { server in
            try await Fixture.use(Fixture.settings(server)) { upstream in
                #expect(try await Self.text(upstream) == Self.question)
                let heard = try #require(server.heard.first)
                #expect(heard.line == "POST /audit HTTP/1.1" && heard["content-type"] == "application/json" && heard.body == Self.question)
                #expect(heard["content-length"] == "\(Self.question.utf8.count)" && heard["accept-encoding"] == "identity")
                // GET has none of it.
                _ = try await upstream.send(UpstreamRequest(UpstreamCall(Fixture.resource)))
                #expect(server.heard.last?.method == "GET" && server.heard.last?["content-type"] == nil)
            }
        }
    }

    @Test("whole again where credentials are asked for, where a redirect keeps the method, and once where the connection was cut")
    func again() async throws {
        let script: ScriptedServer.Script = { heard in
            switch heard.path {
            case "/moved": .answer(308, ["Location": "/audit"])
            case "/closed": .bytes("")
            default: heard["authorization"] == SignInTests.basic ? .answer(200, [:], heard.body) : .answer(401, ["WWW-Authenticate": "Basic realm=\"x\""])
            }
        }
        try await ScriptedServer.run(script) { server in
            try await Fixture.use(Fixture.settings(server, SignInTests.credentials)) { upstream in
                for path in ["audit", "moved"] {
                    let text = try await Self.text(upstream, path)
                    #expect(text == Self.question)
                }
                await #expect { _ = try await Self.text(upstream, "closed") } throws: { ($0 as? UpstreamError)?.code == .trouble(.cut) }
                #expect(server.heard.allSatisfy { $0.method == "POST" && $0.body == Self.question })
                #expect(server.heard.filter { $0.path == "/closed" }.count == 2)
            }
        }
    }

    @Test("a redirect that would make a GET of it leads nowhere", arguments: [301, 302, 303])
    func otherMethod(_ status: Int) async throws {
        try await ScriptedServer.run({ heard in heard.path == "/audit" ? .answer(status, ["Location": "/b"]) : .answer(200) }) { server in
            try await Fixture.use(Fixture.settings(server)) { upstream in
                await #expect { _ = try await Self.text(upstream) } throws: { ($0 as? UpstreamError)?.code == .trouble(.badAnswer) }
                #expect(server.heard.map(\.path) == ["/audit"])
            }
        }
    }
}
