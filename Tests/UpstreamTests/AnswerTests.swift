import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import Outbound
import RepositoryEngine
import Synchronization
import Testing

@testable import Upstream

@Suite("Answers of an upstream", .timeLimit(.minutes(1)))
struct AnswerTests {
    @Test("head and body come through, and nothing of ours is sent but what belongs to the request")
    func plain() async throws {
        try await ScriptedServer.run({ _ in .answer(200, ["ETag": "\"e\""], "hello") }) { server in
            try await Fixture.use(Fixture.settings(server)) { upstream in
                let answer = try await upstream.send(UpstreamRequest(.get, Fixture.resource))
                #expect(answer.status == .ok && answer.headers[.eTag] == "\"e\"" && answer.body.length == 5)
                #expect(try await answer.body.collect(upTo: 10).map { String(buffer: $0) } == "hello")
                let heard = try #require(server.heard.first)
                #expect(heard.line == "GET /a HTTP/1.1")
                #expect(Set(heard.fields.keys) == ["host", "user-agent", "accept", "accept-encoding"])
                #expect(upstream.figures.requests == ["ok": 1] && upstream.figures.bytes == 5)
                #expect(upstream.name == server.url)
            }
        }
    }

    @Test("the answer to HEAD has the length that is declared, and no body")
    func head() async throws {
        try await ScriptedServer.run({ _ in .answer(200, ["Content-Length": "12345"]) }) { server in
            try await Fixture.use(Fixture.settings(server)) { upstream in
                for _ in 0..<3 {
                    let answer = try await upstream.send(UpstreamRequest(.head, Fixture.resource))
                    #expect(answer.body.length == 12345)
                    #expect(try await answer.body.next() == nil)
                }
                #expect(server.heard.map(\.method) == ["HEAD", "HEAD", "HEAD"])
            }
        }
    }

    @Test("304, 206 and 416 are answers", arguments: [304, 206, 416])
    func statuses(_ status: Int) async throws {
        try await ScriptedServer.run({ _ in status == 206 ? .answer(206, ["Content-Range": "bytes 0-0/2"], "x") : .answer(status) }) { server in
            try await Fixture.use(Fixture.settings(server)) { upstream in
                let answer = try await upstream.send(UpstreamRequest(.get, Fixture.resource))
                #expect(answer.status.code == status)
            }
        }
    }

    @Test("what is wrong with an upstream has its name")
    func troubles() async throws {
        let script: ScriptedServer.Script = { heard in
            switch heard.path {
            case "/garbage": .bytes("\u{1}\u{2} nonsense\r\n\r\n")
            case "/header": .bytes("HTTP/1.1 200 OK\r\nno colon here\r\n\r\n")
            case "/closed": .bytes("")
            case "/busy": .answer(429, ["Retry-After": "3"])
            case "/gone": .answer(410)
            case "/denied": .answer(403)
            default: .answer(500)
            }
        }
        try await ScriptedServer.run(script) { server in
            try await Fixture.use(Fixture.settings(server)) { upstream in
                #expect(await upstream.code(UpstreamResource(.below("garbage"))) == .trouble(.badAnswer))
                #expect(await upstream.code(UpstreamResource(.below("header"))) == .trouble(.badAnswer))
                #expect(await upstream.code(UpstreamResource(.below("closed"))) == .trouble(.cut))
                #expect(await upstream.code(UpstreamResource(.below("gone"))) == .absent)
                #expect(await upstream.code(UpstreamResource(.below("denied"))) == .trouble(.denied))
                #expect(await upstream.code(UpstreamResource(.below("x?token=secret"))) == .trouble(.failed))
                #expect(await upstream.code(UpstreamResource(.below("busy"))) == .trouble(.throttled))
                // Asked once more, and not again.
                #expect(server.heard.filter { $0.path == "/closed" }.count == 2)
            }
        }
    }

    @Test("nobody listening is unreachable")
    func refused() async throws {
        try await holdingDeafPort { url in
            try await Fixture.use(UpstreamSettings(remotes: [url])) { upstream in #expect(await upstream.code() == .trouble(.unreachable)) }
        }
    }

    @Test("a body that ends too early is cut, also where its last bytes came")
    func cut() async throws {
        try await ScriptedServer.run({ _ in .bytes("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello") }) { server in
            try await Fixture.use(Fixture.settings(server)) { upstream in
                let answer = try await upstream.send(UpstreamRequest(.get, Fixture.resource))
                await #expect { _ = try await answer.body.collect(upTo: 100) } throws: { ($0 as? UpstreamError)?.code == .trouble(.cut) }
            }
        }
    }

    @Test("silence ends a request, before the head and within the body", arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"])
    func silence(_ begun: String) async throws {
        try await ScriptedServer.run({ _ in .stall(begun) }) { server in
            var settings = Fixture.settings(server)
            settings.limits.idleTimeout = .milliseconds(200)
            try await Fixture.use(settings) { upstream in
                await #expect { _ = try await upstream.read() } throws: { ($0 as? UpstreamError)?.code == .trouble(.timedOut) }
            }
        }
    }

    @Test("cancelling hangs up, while the head or a chunk is waited for", arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"])
    func cancelled(_ begun: String) async throws {
        let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
        let script: ScriptedServer.Script = { _ in
            arrival.yield()
            return .stall(begun)
        }
        try await ScriptedServer.run(script) { server in
            try await Fixture.use(Fixture.settings(server)) { upstream in
                await withTaskGroup(of: UpstreamError.Code?.self) { group in
                    group.addTask {
                        do {
                            _ = try await upstream.read()
                            return nil
                        } catch {
                            return (error as? UpstreamError)?.code
                        }
                    }
                    for await _ in arrived { break }
                    group.cancelAll()
                    for await code in group { #expect(code == .cancelled) }
                }
                await server.connectionsEnded(1)
            }
        }
    }

    @Test("letting go of an unread body hangs up")
    func letGo() async throws {
        try await ScriptedServer.run({ _ in .stall("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello") }) { server in
            try await Fixture.use(Fixture.settings(server)) { upstream in
                _ = try await upstream.send(UpstreamRequest(.get, Fixture.resource))
                await server.connectionsEnded(1)
            }
        }
    }

    @Test("with one connection, requests come one after the other")
    func oneConnection() async throws {
        try await ScriptedServer.run({ _ in .answer(200, [:], "hello") }) { server in
            var settings = Fixture.settings(server)
            settings.limits.connections = 1
            try await Fixture.use(settings) { upstream in
                try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<20 { group.addTask { try await upstream.read() } }
                    for try await text in group { #expect(text == "hello") }
                }
                #expect(server.heard.count == 20)
            }
        }
    }

    @Test("a mirror is asked where the canonical one is in trouble, and its miss is no miss")
    func mirrors() async throws {
        let broken: ScriptedServer.Script = { heard in heard.path == "/missing" ? .answer(404) : .answer(503) }
        let mirror: ScriptedServer.Script = { heard in heard.path == "/a" ? .answer(200, [:], "mirrored") : .answer(404) }
        try await ScriptedServer.run(broken) { first in
            try await ScriptedServer.run(mirror) { second in
                let settings = UpstreamSettings(remotes: [first.url, second.url], credentials: .token("secret"))
                try await Fixture.use(settings) { upstream in
                    #expect(await upstream.text() == "mirrored")
                    #expect(await upstream.code(UpstreamResource(.below("missing"))) == .absent)
                    #expect(await upstream.code(UpstreamResource(.below("other"))) == .trouble(.failed))
                    #expect(second.heard.map(\.path) == ["/a", "/other"])
                }
            }
        }
    }
}
