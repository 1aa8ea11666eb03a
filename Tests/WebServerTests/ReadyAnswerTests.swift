import AccessControl
import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import RepositoryEngine
@testable import WebServer

@Suite("answers that are ready", .timeLimit(.minutes(2)))
struct ReadyAnswerTests {
    /// Answers with a number that grows, and says that the answer stands until the counters are raised.
    private final class Standby: ArtifactHandler {
        let counters = ChangeCounters()
        let asked = Mutex(0)
        let body: String
        let cache: CacheReport?

        init(_ body: String = "", cache: CacheReport? = nil) { (self.body, self.cache) = (body, cache) }

        func respond(to request: IncomingRequest) async -> RequestOutcome {
            let number = self.asked.withLock { asked in
                asked += 1
                return asked
            }
            let marks = self.counters.marks(of: [RepositoryID(1)])
            let bytes = ByteBuffer(string: "\(number) \(request.origin) \(self.body)")
            let head = ContentHead(
                digests: [], size: Int64(bytes.readableBytes), contentType: "text/plain", entityTag: "\"same\"", change: .mutable)
            let content = Content(head: head, member: .files, cache: self.cache, source: MemoryContent(bytes))
            var outcome = RequestOutcome(ArtifactResponse(.ok, headers: [.vary: "Accept"], body: .content(content)), repository: .files, operation: "test")
            if request.isPlain, let terms = RequestNotes().repetition {
                outcome.standing = Standing(marks, terms, now: Timestamp(milliseconds: 784_111_777_000))
            }
            return outcome
        }

        func refusal(_ error: FormatError, of path: String) -> ArtifactResponse? { nil }
        var idleFields: [String] { ["tool-"] }
        var count: Int { self.asked.withLock { $0 } }
    }

    @Test("the second who asks gets the same bytes unasked, under a number of their own and with a line in the log")
    func again() async throws {
        let handler = Standby(cache: CacheReport(.hit, age: .seconds(7)))
        try await TestServer.run(handler) { server in
            let first = try await server.ask("GET /a", headers: ["Accept: x/y"])
            let second = try await server.ask("GET /a", headers: ["accept: x/y", "User-Agent: other", "Tool-Session: 1"])
            #expect(handler.count == 1)
            #expect(first.body == second.body && second.status == 200)
            let names = ["content-type", "etag", "vary", "x-cache", "age", "cache-control", "content-length", "date", "x-content-type-options"]
            for name in names { #expect(first[name] == second[name] && first[name] != nil, "\(name)") }
            #expect(first["x-request-id"] != second["x-request-id"] && second["x-request-id"]?.count == 16)
            _ = await server.log.line("/a")
            let line = await server.log.line("/a")
            #expect(line["id"] == second["x-request-id"] && line["operation"] == "test" && line["repository"] == "files" && line["status"] == "200")
            #expect(line["sent"] == second["content-length"] && line["client"] == "127.0.0.1")
            let metrics = try await server.ask("GET /metrics").text
            #expect(metrics.contains("entrepot_http_requests_total{repository=\"files\",operation=\"test\",class=\"2xx\",code=\"200\"} 2"))
        }
    }

    @Test("when something has changed it is asked for anew")
    func changed() async throws {
        let handler = Standby()
        try await TestServer.run(handler) { server in
            _ = try await server.ask("GET /a")
            handler.counters.raise(RepositoryID(1))
            #expect(try await server.ask("GET /a").text.hasPrefix("2 "))
            handler.counters.raise(RepositoryID(2))
            #expect(try await server.ask("GET /a").text.hasPrefix("2 "))
            handler.counters.raiseAll()
            #expect(try await server.ask("GET /a").text.hasPrefix("3 "))
        }
    }

    @Test("HEAD and 304 are ready too, each by itself")
    func forms() async throws {
        let handler = Standby()
        try await TestServer.run(handler) { server in
            for _ in 0..<3 {
                let head = try await server.ask("HEAD /a")
                #expect(head.status == 200 && head.body.isEmpty && head["content-length"] == "\("0 http://localhost ".utf8.count)")
                let same = try await server.ask("GET /a", headers: ["If-None-Match: \"same\""])
                #expect(same.status == 304 && same["content-length"] == nil && same["etag"] == "\"same\"")
                #expect(try await server.ask("GET /a", headers: ["If-None-Match: \"other\""]).status == 200)
            }
            #expect(handler.count == 3)
        }
    }

    @Test(
        "whoever says more than is understood here is answered by asking",
        arguments: [
            ["Authorization: Bearer x"], ["Range: bytes=0-1"], ["Cookie: a=b"], ["X-Unknown: 1"], ["If-Match: \"same\""], ["If-Range: \"same\""],
            ["Connection: close"], ["Content-Length: 0"], ["Accept: a/b", "Accept: c/d"], ["Accept: other/one"], ["Accept-Encoding: gzip"],
            ["If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"], ["Accept:"], ["X-Forwarded-Host: elsewhere", "Via: x", "TE: trailers"],
        ])
    func others(headers: [String]) async throws {
        let handler = Standby()
        try await TestServer.run(handler) { server in
            _ = try await server.ask("GET /a")
            _ = try await server.ask("GET /a", headers: headers)
            #expect(handler.count == 2)
        }
    }

    @Test("another host, path or query is another answer; what a proxy says counts where it is believed")
    func addresses() async throws {
        let (handler, loopback) = (Standby(), try AddressBlock("127.0.0.1/32"))
        try await TestServer.run(handler, { $0.trustedProxies = [loopback] }) { server in
            for _ in 0..<2 {
                #expect(try await server.ask("GET /a").text.contains("http://localhost "))
                let named = try await server.ask("GET /a", headers: ["X-Forwarded-Host: one.example", "X-Forwarded-For: 10.0.0.1"])
                #expect(named.text.contains("http://one.example "))
                #expect(try await server.ask("GET /a", headers: ["X-Forwarded-Proto: https"]).text.contains("https://localhost "))
                _ = try await server.ask("GET /b")
                _ = try await server.ask("GET /a?b")
            }
            #expect(handler.count == 5)
            _ = try await server.ask("GET /c")
            _ = await server.log.line("/c")
            _ = try await server.ask("GET /c", headers: ["X-Forwarded-For: 10.9.8.7"])
            #expect(await server.log.line("/c")["client"] == "10.9.8.7")
            #expect(handler.count == 6)
        }
    }

    @Test("many requests sent at once over one connection are answered in their order, ready or not")
    func pipelined() async throws {
        let handler = Standby(String(repeating: "x", count: 20_000))
        try await TestServer.run(handler) { server in
            let one = try await server.ask("GET /a").body
            let bodies = try await server.talk { client in
                let heads = (0..<40).map { number in
                    let line = "\(number % 7 == 3 ? "HEAD" : "GET") /\(number % 5 == 0 ? "b" : "a") HTTP/1.1\r\nHost: localhost\r\n"
                    return line + (number % 3 == 0 ? "X-Odd: 1\r\n" : "") + "\r\n"
                }
                client.send(heads.joined())
                return try (0..<40).map { try client.response(toHead: $0 % 7 == 3) }
            }
            for (number, response) in bodies.enumerated() {
                #expect(response.status == 200 && (number % 7 == 3 ? response.body.isEmpty : response.body.count >= one.count), "\(number)")
            }
        }
    }

    @Test("one who sends thousands at once does not keep others waiting")
    func turns() async throws {
        let handler = Standby(String(repeating: "x", count: 1000))
        try await TestServer.run(handler) { server in
            _ = try await server.ask("GET /a")
            let all = try await server.talk { client in
                client.send(String(repeating: "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 2000))
                return try (0..<2000).map { _ in try client.response(toHead: false).status }
            }
            #expect(all.allSatisfy { $0 == 200 } && handler.count == 1)
        }
    }

    @Test("who sends more requests than they may is told so, ready answer or not")
    func throttled() async throws {
        let handler = Standby()
        try await TestServer.run(handler, { $0.limits.address.requests = 1 }) { server in
            var statuses: [Int] = []
            for _ in 0..<12 { statuses.append(try await server.ask("GET /a").status) }
            #expect(statuses == Array(repeating: 200, count: 10) + [429, 429] && handler.count == 1)
        }
    }

    @Test("memory is bounded, and what is asked for stays")
    func bounded() async throws {
        let ready = ReadyAnswers(capacity: 200_000)
        let standing = Standing(ChangeCounters().marks(of: []), try #require(RequestNotes().repetition), now: Timestamp(milliseconds: 0))
        func key(_ path: String) throws -> ReadyKey { try #require(ReadyKey(Self.head(path), nil, at: Self.entrance)) }
        func answer(_ size: Int) -> ReadyAnswer {
            let plan = ResponsePlan(.ok, text: "")
            return ReadyAnswer(
                plan, .bytes(ByteBuffer(repeating: 0, count: size)), [:], RequestOutcome(ArtifactResponse(.ok)), standing, .get, AccessRecord(),
                isAudited: false, at: Timestamp(milliseconds: 0))
        }
        ready.keep(answer(10_000), for: try key("/wanted"))
        for number in 0..<200 {
            ready.keep(answer(10_000), for: try key("/\(number)"))
            #expect(ready.answer(to: try key("/wanted"), at: Timestamp(milliseconds: 1)) != nil)
            #expect(ready.count <= 21)
        }
        #expect(ready.answer(to: try key("/0"), at: Timestamp(milliseconds: 1)) == nil)
        #expect(ready.answer(to: try key("/wanted"), at: Timestamp(milliseconds: 60_000)) == nil)
    }

    private static let entrance = ListenerEntrance(name: "localhost:80", secure: false)
    private static func head(_ path: String) -> HTTPRequestHead {
        HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: ["Host": "localhost"])
    }
}
