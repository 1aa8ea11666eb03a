import ArtifactModel
import Compression
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import WebServer

@Suite("compressed forms")
struct CodingTests {
    @Test(
        "gzip is taken where it is named or meant, and not liked less than none",
        arguments: [
            (nil, false), ("", false), ("gzip", true), ("GZIP", true), ("x-gzip", true), ("deflate, gzip;q=1.0, *;q=0.5", true), ("br", false),
            ("*", true), ("*;q=0", false), ("gzip;q=0", false), ("gzip;q=0.000", false), ("gzip; q=0.001", true), ("gzip;q=0, *", false),
            ("identity", false), ("identity, gzip;q=0.5", false), ("identity;q=0.5, gzip;q=0.5", true), ("identity;q=0", false),
            ("gzip;q=x", false), ("gzip;q=2", false), ("gzip;q", true), ("gzipped", false), (" gzip ,br", true), (",,gzip", true),
        ] as [(String?, Bool)])
    func accepted(_ field: String?, _ expected: Bool) { #expect(AcceptedCodings(field).takesGzip == expected) }

    private struct Row {
        var headers: [String]
        var status: Int
        var tag: String
        var coding: String?
        var body: String
    }
    private static let gzip = "Accept-Encoding: gzip"
    private static let golden = [
        Row(headers: [], status: 200, tag: "\"v1\"", coding: nil, body: TestHandler.alphabet),
        Row(headers: [gzip], status: 200, tag: "\"v1-gzip\"", coding: "gzip", body: "compressed"),
        Row(headers: ["Accept-Encoding: gzip;q=0"], status: 200, tag: "\"v1\"", coding: nil, body: TestHandler.alphabet),
        Row(headers: [gzip, "Range: bytes=0-1"], status: 206, tag: "\"v1\"", coding: nil, body: "ab"),
        Row(headers: [gzip, "Range: bytes=0-1", "If-Range: \"v1-gzip\""], status: 200, tag: "\"v1\"", coding: nil, body: TestHandler.alphabet),
        Row(headers: [gzip, "If-None-Match: \"v1\""], status: 304, tag: "\"v1\"", coding: nil, body: ""),
        Row(headers: [gzip, "If-None-Match: W/\"v1-gzip\""], status: 304, tag: "\"v1-gzip\"", coding: nil, body: ""),
        Row(headers: ["If-None-Match: \"v1-gzip\""], status: 304, tag: "\"v1-gzip\"", coding: nil, body: ""),
        Row(headers: [gzip, "If-None-Match: *"], status: 304, tag: "\"v1\"", coding: nil, body: ""),
        Row(headers: [gzip, "If-None-Match: \"v0-gzip\""], status: 200, tag: "\"v1-gzip\"", coding: "gzip", body: "compressed"),
        Row(headers: [gzip, "If-Match: \"v1-gzip\""], status: 200, tag: "\"v1-gzip\"", coding: "gzip", body: "compressed"),
    ]

    @Test("a document goes out in the form that the client takes, each under its own tag; what the client has is not compressed again")
    func document() async throws {
        let made = Tally()
        try await TestServer.run(TestHandler(made: { made.add() })) { server in
            for row in Self.golden {
                let before = made.count
                let response = try await server.ask("GET /packument", headers: row.headers)
                #expect(response.status == row.status && response["ETag"] == row.tag && response["Content-Encoding"] == row.coding, "\(row.headers)")
                #expect(response.text == row.body, "\(row.headers)")
                #expect(response["Vary"] == "Accept-Encoding", "\(row.headers)")
                #expect((response["Accept-Ranges"] == nil) == (row.coding != nil), "\(row.headers)")
                #expect(made.count - before == (row.coding == nil ? 0 : 1), "\(row.headers)")
            }
            let failed = try await server.ask("GET /packument", headers: [Self.gzip, "If-Match: \"v2\""])
            #expect(failed.status == 412)
            let head = try await server.ask("HEAD /packument", headers: [Self.gzip])
            #expect(head["Content-Length"] == "10" && head["Content-Encoding"] == "gzip" && head["ETag"] == "\"v1-gzip\"")
        }
    }

    @Test("where the form is not there, or cannot be had, the document goes as it is", arguments: ["pending", "uncompressible"])
    func pending(_ path: String) async throws {
        try await TestServer.run(TestHandler()) { server in
            let response = try await server.ask("GET /\(path)", headers: [Self.gzip])
            #expect(response.status == 200 && response.text == TestHandler.alphabet && response["ETag"] == "\"v1\"")
            #expect(response["Content-Encoding"] == nil && response["Vary"] == "Accept-Encoding" && response["Accept-Ranges"] == "bytes")
        }
    }

    @Test("text that is made for the request is compressed on the way; a format's own Vary and tag are kept in mind")
    func text() async throws {
        try await TestServer.run(TestHandler()) { server in
            let list = try await server.ask("GET /list", headers: [Self.gzip])
            #expect(list["Content-Encoding"] == "gzip" && list["Vary"] == "Accept, Accept-Encoding" && list["ETag"] == nil)
            var bytes = ByteBuffer(bytes: list.body)
            let decoder = GzipDecoder()
            let text = try decoder.decode(&bytes).map { String(buffer: $0) }
            try decoder.finish()
            #expect(text == TestHandler.long)
            let head = try await server.ask("HEAD /list", headers: [Self.gzip])
            #expect(head["Content-Length"] == list["Content-Length"])
            let plain = try await server.ask("GET /list")
            #expect(plain.text == TestHandler.long && plain["Content-Encoding"] == nil && plain["Vary"] == "Accept, Accept-Encoding")
            let tagged = try await server.ask("GET /tagged", headers: [Self.gzip])
            #expect(tagged["ETag"] == "\"t1-gzip\"" && tagged["Content-Encoding"] == "gzip")
            for tag in ["\"t1\"", "\"t1-gzip\""] {
                let same = try await server.ask("GET /tagged", headers: [Self.gzip, "If-None-Match: \(tag)"])
                #expect(same.status == 304 && same["ETag"] == tag && same["Content-Encoding"] == nil)
            }
        }
    }

    @Test("nothing else is: files, what is short, no text, or may have secrets in it", arguments: ["letters", "document", "secret", "picture"])
    func others(_ path: String) async throws {
        try await TestServer.run(TestHandler()) { server in
            let response = try await server.ask("GET /\(path)", headers: [Self.gzip])
            #expect(response.status == 200 && response["Content-Encoding"] == nil && response["Vary"] == nil)
        }
    }
}

/// Counts, from any task.
private final class Tally: Sendable {
    private let sum = Mutex(0)
    var count: Int { self.sum.withLock { $0 } }
    func add() { self.sum.withLock { $0 += 1 } }
}
