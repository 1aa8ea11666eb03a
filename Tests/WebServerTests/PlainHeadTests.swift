import ArtifactModel
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import WebServer

/// Heads that are understood before the decoder has seen them.
@Suite("plain heads")
struct PlainHeadTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var text: String
        /// nil: for the decoder. Else whether it may be answered here, and how long its body is.
        var plain: (mayBeReady: Bool, body: Int)?
        var testDescription: String { self.text.debugDescription }

        init(_ text: String, _ mayBeReady: Bool, body: Int = 0) { (self.text, self.plain) = (text, (mayBeReady, body)) }
        init(decoder text: String) { (self.text, self.plain) = (text, nil) }
    }

    private static let get = "GET /a HTTP/1.1\r\nHost: h\r\n"

    static let rows = [
        Row(get + "\r\n", true),
        Row("HEAD /a?b=c%20d HTTP/1.1\r\nhOST:h\r\n\r\n", true),
        Row(get + "Accept: \t a/b ,c\r\nuser-agent:\r\nConnection: Keep-Alive\r\n\r\n", true),
        Row(get + "Tool-Session: 1\r\nSec-Fetch-Mode: cors\r\nX-Request-ID: 1\r\n\r\n", true),
        Row(get + "If-None-Match: \"\u{e9}\"\r\n\r\n", true),
        // Understood, and answered by asking.
        Row("GET /a HTTP/1.1\r\n\r\n", false), Row(get + "Host: h\r\n\r\n", false), Row(get + "Range: bytes=0-1\r\n\r\n", false),
        Row(get + "Authorization: Basic x\r\n\r\n", false), Row(get + "Content-Length: 0\r\n\r\n", false), Row(get + "Tools: 1\r\n\r\n", false),
        Row(get + "Accept: a/b\r\nAccept: c/d\r\n\r\n", false), Row(get + "Content-Length: 12\r\n\r\n", false, body: 12),
        Row("PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\ncontent-length:  7\r\n\r\n", false, body: 7),
        Row("POST /a HTTP/1.1\r\nHost: h\r\n\r\n", false), Row("DELETE /a HTTP/1.1\r\nHost: h\r\n\r\n", false),
        Row("PATCH /a HTTP/1.1\r\nHost: h\r\n\r\n", false),
        // Not there to its end.
        Row(decoder: ""), Row(decoder: "G"), Row(decoder: "GET /a HTTP/1.1\r\nHost: h\r\n"), Row(decoder: "GET /a HTTP/1.1\r\nHost: h\r\n\r"),
        Row(decoder: "GET /a HTTP/1.1\r\nHos"), Row(decoder: "GET /"),
        // Where it ends may be told in another way.
        Row(decoder: get + "Transfer-Encoding: chunked\r\n\r\n"), Row(decoder: get + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
        Row(decoder: get + "Content-Length: 1, 1\r\n\r\n"), Row(decoder: get + "Content-Length: +1\r\n\r\n"), Row(decoder: get + "Content-Length:\r\n\r\n"),
        Row(decoder: get + "Content-Length: 0x1\r\n\r\n"), Row(decoder: get + "Content-Length: 9999999999999999999\r\n\r\n"),
        Row(decoder: get + "Connection: close\r\n\r\n"), Row(decoder: get + "Connection: keep-alive, Upgrade\r\n\r\n"),
        Row(decoder: get + "Upgrade: h2c\r\n\r\n"), Row(decoder: get + "Proxy-Connection: close\r\n\r\n"),
        // Written in another way, or wrong.
        Row(decoder: "GET /a HTTP/1.0\r\nHost: h\r\n\r\n"), Row(decoder: "GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n"),
        Row(decoder: "GET * HTTP/1.1\r\nHost: h\r\n\r\n"), Row(decoder: "GET  /a HTTP/1.1\r\nHost: h\r\n\r\n"),
        Row(decoder: "GET /a  HTTP/1.1\r\nHost: h\r\n\r\n"), Row(decoder: "GET /\u{e9} HTTP/1.1\r\nHost: h\r\n\r\n"),
        Row(decoder: "GET /a HTTP/1.1\nHost: h\n\n"), Row(decoder: "GET /a HTTP/1.1\r\nHost: h\n\r\n"), Row(decoder: get + "\n"),
        Row(decoder: get + "Accept: a/b \r\n\r\n"), Row(decoder: get + "Accept : a/b\r\n\r\n"), Row(decoder: get + " folded\r\n\r\n"),
        Row(decoder: get + "Accept: a\r\n b\r\n\r\n"),
        Row(decoder: get + "Accept: a\u{0}b\r\n\r\n"), Row(decoder: get + "Accept: a\rb\r\n\r\n"), Row(decoder: get + "Accept: a\u{7f}\r\n\r\n"),
        Row(decoder: get + ": a\r\n\r\n"), Row(decoder: get + "Accept\r\n\r\n"), Row(decoder: get + "Acc\u{e9}pt: a\r\n\r\n"),
        Row(decoder: "get /a HTTP/1.1\r\nHost: h\r\n\r\n"), Row(decoder: "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n"),
        Row(decoder: "\r\n" + get + "\r\n"), Row(decoder: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Row(decoder: get + (0..<100).map { "Sec-\($0): x\r\n" }.joined() + "\r\n"),
        Row(decoder: get + "Sec-Long: " + String(repeating: "x", count: 40_000) + "\r\n\r\n"),
    ]

    @Test("a plain head is known by its bytes; what is written in another way is the decoder's", arguments: rows)
    func heads(row: Row) {
        for following in ["", "GET /b HTTP/1.1\r\n", "\r\n"] where row.plain != nil || following.isEmpty {
            let bytes = Array((row.text + following).utf8)
            let head = Self.plain(bytes)
            #expect((head == nil) == (row.plain == nil))
            guard let head, let plain = row.plain else { continue }
            #expect(head.length == row.text.utf8.count && head.mayBeReady == plain.mayBeReady && head.bodyLength == plain.body)
        }
    }

    @Test(
        "its key is that of the decoded head",
        arguments: [
            ("GET", "/a?b", [("Host", "h")]), ("HEAD", "/%20", [("host", "h:1"), ("ACCEPT", "a/b, c"), ("Accept-Encoding", ""), ("dnt", "1")]),
            ("GET", "/x", [("Host", "h"), ("If-None-Match", "\"e\""), ("If-Modified-Since", "x"), ("X-Request-Id", "7"), ("Connection", "keep-alive")]),
            ("GET", "/x", [("X-Forwarded-Host", "other"), ("Host", "h"), ("Accept-Language", "de"), ("Cache-Control", "no-cache")]),
        ])
    func keys(method: String, target: String, fields: [(String, String)]) throws {
        let text = "\(method) \(target) HTTP/1.1\r\n" + fields.map { "\($0): \t\($1)\r\n" }.joined() + "\r\n"
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder()))
        try channel.writeInbound(ByteBuffer(string: text))
        guard case .head(let decoded) = try #require(try channel.readInbound(as: HTTPServerRequestPart.self)) else {
            Issue.record("there is no head")
            return
        }
        _ = try channel.finish(acceptAlreadyClosed: true)
        let entrance = ListenerEntrance(name: "localhost:80", secure: false)
        let key = try #require(ReadyKey(decoded, nil, at: entrance))
        var space: [UInt8] = Array("what was there before".utf8)
        let bytes = Array(text.utf8)
        let head = try #require(Self.plain(bytes))
        #expect(bytes.withUnsafeBytes { ReadyKey(head, in: $0, at: entrance, space: &space) } == key)
        let other = ListenerEntrance(name: "localhost:80", secure: true)
        #expect(bytes.withUnsafeBytes { ReadyKey(head, in: $0, at: other, space: &space) } != key)
    }

    private static func plain(_ bytes: [UInt8]) -> PlainHead? { bytes.withUnsafeBytes { PlainHead($0, idle: [Array("tool-".utf8)], Limits()) } }
}
