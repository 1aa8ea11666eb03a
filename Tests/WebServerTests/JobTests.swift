import ArtifactModel
import BlockingWork
import HTTPTypes
import NIOCore
import Testing

@testable import WebServer

@Suite("jobs of the control socket", .timeLimit(.minutes(1))) struct JobTests {
    private static func serving(
        _ job: @escaping @Sendable (JobReporter) async -> ByteBuffer, _ work: @escaping @Sendable (TestServer, String) async throws -> Void
    ) async throws {
        let file = try TestFile(size: 1)
        let path = file.path + ".sock"
        let route = ControlRoute(.post, "/job") { _ in ControlResponse(job: job) }
        try await TestServer.run(TestHandler(), control: [route], { $0.controlSocket = path }) { server in try await work(server, path) }
    }

    private static func first(_ count: Int, _ path: String) throws -> (RawClient, String) {
        let client = try RawClient(path: path)
        client.send("POST /job HTTP/1.0\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        #expect(try client.head().status == 200)
        return (client, String(decoding: try client.take(count), as: UTF8.self))
    }

    @Test("what a job reports arrives while it runs, and its last line at the end")
    func progress() async throws {
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        try await Self.serving({ reporter in
            reporter.tell(ByteBuffer(string: "{\"n\":1}"))
            for await _ in gate {}
            return ByteBuffer(string: "{\"end\":true}")
        }) { server, path in
            let (line, rest) = try await server.pool.run {
                let (client, line) = try Self.first(8, path)
                open.finish()
                return (line, String(decoding: client.rest(), as: UTF8.self))
            }
            #expect(line == "{\"n\":1}\n" && rest == "{\"end\":true}\n")
        }
    }

    @Test("with HTTP/1.1 the lines come in chunks")
    func chunks() async throws {
        try await Self.serving({ _ in ByteBuffer(string: "{}") }) { server, path in
            let response = try await server.pool.run {
                let client = try RawClient(path: path)
                client.send("POST /job HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                return try client.response()
            }
            #expect(response.text == "{}\n" && response["Transfer-Encoding"] == "chunked" && response["Content-Type"] == "application/x-ndjson")
        }
    }

    @Test("a client that hangs up stops the job")
    func hangUp() async throws {
        let (stopped, stop) = AsyncStream.makeStream(of: Bool.self)
        let (never, hold) = AsyncStream.makeStream(of: Void.self)
        try await Self.serving({ reporter in
            reporter.tell(ByteBuffer(string: "{}"))
            // Ends by cancellation alone.
            for await _ in never {}
            stop.yield(Task.isCancelled)
            return ByteBuffer(string: "{}")
        }) { server, path in
            try await server.pool.run { try Self.first(3, path).0.close() }
            #expect(await stopped.first { _ in true } == true)
        }
        hold.finish()
    }

    @Test("a slow reader gets the newest report and the last line, however many there were")
    func newest() async throws {
        let (reported, done) = AsyncStream.makeStream(of: Void.self)
        let content = JobContent { reporter in
            for number in 1...1000 { reporter.tell(ByteBuffer(string: "\(number)")) }
            done.finish()
            return ByteBuffer(string: "last")
        }
        for await _ in reported {}
        var lines: [String] = []
        while case .bytes(let bytes) = try await content.next(at: 0, limit: .max) { lines.append(String(buffer: bytes)) }
        #expect(lines == ["1000\n", "last\n"])
    }

    @Test("a line longer than a piece comes in several")
    func long() async throws {
        let content = JobContent { _ in ByteBuffer(repeating: UInt8(ascii: "x"), count: 5000) }
        var sizes: [Int] = []
        while case .bytes(let bytes) = try await content.next(at: 0, limit: 2048) { sizes.append(bytes.readableBytes) }
        #expect(sizes == [2048, 2048, 905])
    }
}
