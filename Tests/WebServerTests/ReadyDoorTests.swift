import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import Synchronization
import TestDice
import Testing

@testable import RepositoryEngine
@testable import WebServer

@Suite("answers that are ready, given before the decoder", .timeLimit(.minutes(2)))
struct ReadyDoorTests {
    /// Says what was asked; of what has no body, in a way that stands.
    private final class Mirror: ArtifactHandler {
        let counters = ChangeCounters()
        let asked = Mutex(0)
        let file: TestFile?

        init(file: TestFile? = nil) { self.file = file }

        func respond(to request: IncomingRequest) async -> RequestOutcome {
            self.asked.withLock { $0 += 1 }
            let marks = self.counters.marks(of: [RepositoryID(1)])
            var received = 0
            do {
                while let bytes = try await request.body.next() { received += bytes.readableBytes }
                let content = try self.content("\(request.method) \(request.target.path.joined(separator: "/")) \(received)\n")
                var outcome = RequestOutcome(ArtifactResponse(.ok, body: .content(content)), repository: .files, operation: "test")
                if request.isPlain, let terms = RequestNotes().repetition {
                    outcome.standing = Standing(marks, terms, now: Timestamp(milliseconds: 784_111_777_000))
                }
                return outcome
            } catch {
                return RequestOutcome(ArtifactResponse(.badRequest), operation: "test", cause: error)
            }
        }

        private func content(_ text: String) throws -> Content {
            let source: any ContentSource = try self.file.map { FileContent(try $0.open(), size: $0.size) } ?? MemoryContent(ByteBuffer(string: text))
            let head = ContentHead(digests: [], size: source.length, contentType: "text/plain", entityTag: "\"same\"", change: .mutable)
            return Content(head: head, member: .files, source: source)
        }

        func refusal(_ error: FormatError, of path: String) -> ArtifactResponse? { nil }
        var count: Int { self.asked.withLock { $0 } }
    }

    private struct Asked { var text: String, answer: String, isHead: Bool }

    /// Requests as clients send them, plain and otherwise; those with an even number are asked for again and again.
    private static func request(_ dice: inout Dice) -> Asked {
        let path = "p\(Int.random(in: 0..<6, using: &dice))"
        let isHead = Int.random(in: 0..<5, using: &dice) == 0
        let method = isHead ? "HEAD" : "GET"
        switch Int.random(in: 0..<8, using: &dice) {
        case 0:
            let body = String(repeating: "b", count: Int.random(in: 0..<300, using: &dice))
            return Asked(
                text: "PUT /\(path) HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)", answer: "PUT \(path) \(body.utf8.count)\n",
                isHead: false)
        case 1 where Int.random(in: 0..<4, using: &dice) == 0:
            // After this one the door knows nothing any more.
            return Asked(
                text: "POST /\(path) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", answer: "POST \(path) 3\n", isHead: false)
        case 2: return Asked(text: "\(method) /\(path) HTTP/1.1\r\nhost:h\r\nX-Odd: GET / HTTP/1.1\r\n\r\n", answer: "\(method) \(path) 0\n", isHead: isHead)
        default: return Asked(text: "\(method) /\(path) HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n", answer: "\(method) \(path) 0\n", isHead: isHead)
        }
    }

    @Test("whatever is sent, and in whichever pieces, each is answered as if it were alone", arguments: 1...12)
    func mixed(seed: Int) async throws {
        let handler = Mirror()
        try await TestServer.run(handler) { server in
            let sent = try await server.talk { client in
                var sent = 0
                var dice = Dice(state: UInt64(seed))
                for _ in 0..<40 {
                    let batch = (0...Int.random(in: 0..<6, using: &dice)).map { _ in Self.request(&dice) }
                    sent += batch.count
                    var bytes = Array(batch.map(\.text).joined().utf8)[...]
                    while !bytes.isEmpty {
                        let count = Int.random(in: 0..<3, using: &dice) == 0 ? min(bytes.count, 1 + Int.random(in: 0..<60, using: &dice)) : bytes.count
                        client.send(Array(bytes.prefix(count)))
                        bytes = bytes.dropFirst(count)
                    }
                    for one in batch {
                        let response = try client.response(toHead: one.isHead)
                        #expect(response.status == 200 && (one.isHead || response.text == one.answer), "\(one)")
                        #expect(response["content-length"] == String(one.answer.utf8.count))
                    }
                }
                return sent
            }
            #expect(handler.count > 12 && handler.count < sent)
        }
    }

    @Test("the log tells of it what it tells of every request, and metrics count it")
    func told() async throws {
        let handler = Mirror()
        try await TestServer.run(handler) { server in
            _ = try await server.ask("GET /a%22b?token=1")
            let first = await server.log.text("/a%22b")
            _ = try await server.ask("GET /a%22b?token=1", headers: ["X-Request-ID: mine"])
            let second = await server.log.text("/a%22b")
            #expect(handler.count == 1)
            let members = { (line: String) in line.split(separator: ",").filter { !$0.hasPrefix("\"ms\":") && !$0.hasPrefix("\"id\":") } }
            #expect(members(first) == members(second) && second.contains("\"id\":\"mine\"") && !second.contains("token"))
            let metrics = try await server.ask("GET /metrics").text
            #expect(metrics.contains("entrepot_http_sent_bytes_total{repository=\"files\"} 20"))
            #expect(metrics.contains("entrepot_http_time_to_first_byte_seconds_count{operation=\"test\"} 2"))
        }
    }

    @Test("a file is given again as it is, by itself and in a row, and let go of when the answer has fallen")
    func files() async throws {
        let handler = Mirror(file: try TestFile(size: 900_000))
        let file = try #require(handler.file)
        let bytes = try file.bytes()
        try await TestServer.run(handler) { server in
            for _ in 0..<3 { #expect(try await server.ask("GET /a").body == bytes) }
            let row = try await server.talk { client in
                client.send(String(repeating: "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 20))
                return try (0..<20).map { _ in try client.response().body }
            }
            #expect(row.allSatisfy { $0 == bytes } && handler.count == 1)
            #expect(try await server.ask("GET /a", headers: ["Range: bytes=5-9"]).body == Array(bytes[5..<10]))
            let site = server.web.site
            site.ready.sweep(at: site.now())
            #expect(site.ready.count == 1)
            handler.counters.raise(RepositoryID(1))
            site.ready.sweep(at: site.now())
            #expect(site.ready.count == 0)
            await file.waitForClose()
        }
    }

    @Test("files that are held open are bounded by their number")
    func boundedFiles() async throws {
        let handler = Mirror(file: try TestFile(size: 100_000))
        try await TestServer.run(handler, { $0.limits.readyFiles = 8 }) { server in
            for number in 0..<40 {
                _ = try await server.ask("GET /\(number)")
                #expect(server.web.site.ready.count <= 9)
            }
            #expect(try await server.ask("GET /39").body.count == 100_000 && handler.count == 40)
        }
    }

    @Test("a client that stops reading a ready file is cut, and one that goes away harms nobody")
    func stalled() async throws {
        let handler = Mirror(file: try TestFile(size: 4 << 20))
        try await TestServer.run(handler, { $0.timeouts.stall = .milliseconds(200) }) { server in
            _ = try await server.ask("GET /a")
            let port = server.port
            let cut = try await server.talk { _ in
                let client = try RawClient(port: port, receiveBuffer: 4096)
                client.send(String(repeating: "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 3))
                let gone = try RawClient(port: port, receiveBuffer: 4096)
                gone.send("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
                _ = try gone.take(10)
                gone.reset()
                return Kept(client)
            }
            _ = await server.log.line("/a")
            let lines = [await server.log.line("/a"), await server.log.line("/a")]
            #expect(lines.allSatisfy { $0["cancelled"] == "true" && $0["status"] == "200" && Int($0["sent"] ?? "") ?? .max < 4 << 20 })
            cut.value.withLock { $0.close() }
            #expect(try await server.ask("GET /a").body.count == 4 << 20 && handler.count == 1)
        }
    }
}
