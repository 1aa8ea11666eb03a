import ArtifactModel
import BlockingWork
import Compression
import FormatAPI
import HTTPTypes
import NIOCore
import RepositoryEngine
import Synchronization
import Testing

@testable import Upstream

@Suite("Compressed answers of an upstream", .timeLimit(.minutes(1)))
struct GzipAnswerTests {
    private static let text = String(repeating: "\"version\":\"1.0.0\",", count: 100_000)
    private static let resource = UpstreamResource(.below("a"), mayBeCompressed: true)

    private static func gzip(_ text: String = text) -> ByteBuffer { ByteBuffer(string: text).gzipped(level: 6) }

    @Test("where it may be, the whole is asked for compressed, and comes as it is without that; its tag stays", arguments: ["gzip", "x-gzip", "GZIP"])
    func decoded(_ coding: String) async throws {
        let compressed = Self.gzip()
        let script: ScriptedServer.Script = { _ in .binary(200, ["Content-Encoding": coding, "ETag": "\"e-gzip\""], compressed) }
        try await ScriptedServer.run(script) { server in
            try await Fixture.use(Fixture.settings(server)) { upstream in
                let answer = try await upstream.send(UpstreamRequest(.get, Self.resource))
                #expect(answer.headers[.contentEncoding] == nil && answer.headers[.contentLength] == nil && answer.body.length == nil)
                #expect(answer.headers[.eTag] == "\"e-gzip\"")
                #expect(try await answer.body.collect(upTo: 8 << 20).map { String(buffer: $0) } == Self.text)
                #expect(server.heard.map { $0["accept-encoding"] } == ["gzip"])
                #expect(upstream.figures.bytes == Int64(compressed.readableBytes))
                // The connection was read to its end.
                #expect(try await upstream.send(UpstreamRequest(.get, Self.resource)).body.collect(upTo: 8 << 20)?.readableBytes == Self.text.utf8.count)
            }
        }
    }

    @Test("an upstream that does not compress is read as it is")
    func plain() async throws {
        try await ScriptedServer.run({ _ in .answer(200, [:], "hello") }) { server in
            try await Fixture.use(Fixture.settings(server)) { upstream in
                let answer = try await upstream.send(UpstreamRequest(.get, Self.resource))
                #expect(answer.body.length == 5)
                #expect(try await answer.body.collect(upTo: 10).map { String(buffer: $0) } == "hello")
            }
        }
    }

    @Test("nothing compressed is taken that was not asked for, and no other coding")
    func unasked() async throws {
        let compressed = Self.gzip("hello")
        let script: ScriptedServer.Script = { heard in
            .binary(heard["range"] == nil ? 200 : 206, ["Content-Encoding": heard.path == "/br" ? "br" : "gzip", "Content-Range": "bytes 1-4/5"], compressed)
        }
        try await ScriptedServer.run(script) { server in
            try await Fixture.use(Fixture.settings(server)) { upstream in
                let requests = [
                    UpstreamRequest(.get, UpstreamResource(.below("a"))), UpstreamRequest(.get, UpstreamResource(.below("br"), mayBeCompressed: true)),
                    UpstreamRequest(.get, Self.resource, part: .from(1, to: nil)),
                ]
                for request in requests {
                    await #expect { _ = try await upstream.send(request) } throws: { ($0 as? UpstreamError)?.code == .trouble(.badAnswer) }
                }
                #expect(server.heard.map { $0["accept-encoding"] } == ["identity", "gzip", "identity"])
                // Whether it is there is asked without it.
                #expect(RequestFields.make(UpstreamRequest(.head, Self.resource), agent: "")[.acceptEncoding] == "identity")
            }
        }
    }

    @Test("what is cut is cut, and what is no gzip is no answer")
    func broken() async throws {
        let whole = Self.gzip()
        let bodies: [(ByteBuffer, Trouble)] = [
            (whole.getSlice(at: 0, length: whole.readableBytes - 1) ?? whole, .cut), (ByteBuffer(), .cut),
            (ByteBuffer(string: "<html>sorry</html>"), .badAnswer), (ByteBuffer(bytes: Array(whole.readableBytesView) + Array("more".utf8)), .badAnswer),
        ]
        for (body, trouble) in bodies {
            try await ScriptedServer.run({ _ in .binary(200, ["Content-Encoding": "gzip"], body) }) { server in
                try await Fixture.use(Fixture.settings(server)) { upstream in
                    let answer = try await upstream.send(UpstreamRequest(.get, Self.resource))
                    await #expect { while try await answer.body.next() != nil {} } throws: { ($0 as? UpstreamError)?.code == .trouble(trouble) }
                }
            }
        }
    }

    @Test("a bomb is let go of at its bound, of the whole and of what came", arguments: [(Int64(1 << 20), Int64(1100)), (1 << 30, 10)])
    func bomb(_ largest: Int64, _ ratio: Int64) async throws {
        let pool = ThreadPool(threads: 1)
        let left = Mutex(ByteBuffer(repeating: 0, count: 64 << 20).gzipped(level: 9))
        let body = ByteStream(length: nil) { left.withLock { $0.readSlice(length: min(1000, $0.readableBytes)) }.flatMap { $0.readableBytes > 0 ? $0 : nil } }
        let answer = GzipAnswer(body, from: "there", on: pool, GzipAnswer.Limits(largest: largest, ratio: ratio, slack: 1 << 20))
        var given = 0
        await #expect {
            while let piece = try await answer.next() { given += piece.readableBytes }
        } throws: {
            ($0 as? UpstreamError)?.code == .trouble(.badAnswer)
        }
        #expect(given <= 2 << 20)
        try await pool.shutdown()
    }
}
