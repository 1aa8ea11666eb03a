import ArtifactModel
import HTTPTypes
import Testing

@testable import WebServer

@Suite("ranges")
struct RangeTests {
    static let table: [(String?, Int64, ByteRanges)] = [
        (nil, 10, .ignored), ("bytes=0-4", 10, .ranges([0..<5])), ("bytes=5-", 10, .ranges([5..<10])), ("bytes=-3", 10, .ranges([7..<10])),
        ("bytes=-30", 10, .ranges([0..<10])), ("bytes=0-99", 10, .ranges([0..<10])), ("bytes=9-9", 10, .ranges([9..<10])),
        ("bytes=10-", 10, .unsatisfiable), ("bytes=-0", 10, .unsatisfiable), ("bytes=0-", 0, .unsatisfiable), ("bytes=20-30,11-12", 10, .unsatisfiable),
        ("bytes=5-3", 10, .unsatisfiable), ("bytes=a-b", 10, .ignored), ("bytes=", 10, .ignored), ("bytes", 10, .ignored), ("items=0-1", 10, .ignored),
        ("bytes=1-2,x", 10, .ignored), ("bytes=-", 10, .ignored), ("bytes=1-2-3", 10, .ignored), ("bytes=+1-2", 10, .ignored),
        ("BYTES = 0-0", 10, .ranges([0..<1])), ("bytes=0-1, 4-5", 10, .ranges([0..<2, 4..<6])), ("bytes=4-5,0-1", 10, .ranges([0..<2, 4..<6])),
        ("bytes=0-3,2-5", 10, .ranges([0..<6])), ("bytes=0-3,4-5", 10, .ranges([0..<6])), ("bytes=0-1,50-60", 10, .ranges([0..<2])),
        ("bytes=0-1,,4-5", 10, .ranges([0..<2, 4..<6])), ("bytes=99999999999999999999-", 10, .unsatisfiable),
        ("bytes=0-99999999999999999999", 10, .ranges([0..<10])), ("bytes=-99999999999999999999", 10, .ranges([0..<10])),
        ("bytes=" + (0..<65).map { "\($0 * 2)-\($0 * 2)" }.joined(separator: ","), 1000, .tooMany),
    ]

    @Test("a Range header means what RFC 9110 says", arguments: RangeTests.table.indices)
    func grammar(_ index: Int) {
        let (header, size, expected) = Self.table[index]
        #expect(ByteRanges(header, size: size) == expected, "\(header ?? "none") of \(size)")
    }
}

@Suite("conditions")
struct ConditionTests {
    private static let date = Timestamp(milliseconds: 784_111_777_000)
    static let table: [(HTTPField.Name, String, Conditions.Verdict)] = [
        (.ifNoneMatch, "\"v1\"", .notModified), (.ifNoneMatch, "v1", .notModified), (.ifNoneMatch, "W/\"v1\"", .notModified),
        (.ifNoneMatch, "*", .notModified), (.ifNoneMatch, "\"a,b\", \"v1\"", .notModified), (.ifNoneMatch, "\"v2\"", .proceed),
        (.ifNoneMatch, "\"v1", .proceed), (.ifMatch, "\"v1\"", .proceed), (.ifMatch, "*", .proceed), (.ifMatch, "\"v2\"", .failed),
        (.ifMatch, "W/\"v1\"", .failed), (.ifModifiedSince, "Sun, 06 Nov 1994 08:49:37 GMT", .notModified),
        (.ifModifiedSince, "Sunday, 06-Nov-94 08:49:37 GMT", .notModified), (.ifModifiedSince, "Sun Nov  6 08:49:37 1994", .notModified),
        (.ifModifiedSince, "Sun, 06 Nov 1994 08:49:36 GMT", .proceed), (.ifModifiedSince, "yesterday", .proceed),
        (.ifUnmodifiedSince, "Sun, 06 Nov 1994 08:49:37 GMT", .proceed), (.ifUnmodifiedSince, "Sun, 06 Nov 1994 08:49:36 GMT", .failed),
    ]

    @Test("a condition holds or not, as RFC 9110 says", arguments: ConditionTests.table.indices)
    func single(_ index: Int) {
        let (name, value, expected) = Self.table[index]
        #expect(Conditions([name: value]).verdict(entityTag: EntityTag("\"v1\""), lastModified: Self.date, safe: true) == expected, "\(name): \(value)")
    }

    @Test("a matching If-None-Match fails a write, and a differing one wins over If-Modified-Since")
    func precedence() {
        #expect(Conditions([.ifNoneMatch: "*"]).verdict(entityTag: EntityTag("\"v1\""), lastModified: nil, safe: false) == .failed)
        let both: HTTPFields = [.ifNoneMatch: "\"v2\"", .ifModifiedSince: "Sun, 06 Nov 1994 08:49:37 GMT"]
        #expect(Conditions(both).verdict(entityTag: EntityTag("\"v1\""), lastModified: Self.date, safe: true) == .proceed)
    }

    @Test(
        "dates are written and read back the same",
        arguments: [0, 951_782_400, 784_111_777, 4_102_444_799, 1_709_164_800, 86_399] as [Int64])
    func dates(_ seconds: Int64) { #expect(HTTPDate.seconds(HTTPDate.text(seconds: seconds)) == seconds) }

    @Test("a date is written as in the RFC's example")
    func example() { #expect(HTTPDate.text(seconds: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT") }
}

@Suite("content over the wire")
struct ContentTests {
    static let golden: [(headers: [String], status: Int, range: String?, body: String)] = [
        ([], 200, nil, TestHandler.alphabet), (["Range: bytes=0-2"], 206, "bytes 0-2/26", "abc"), (["Range: bytes=-2"], 206, "bytes 24-25/26", "yz"),
        (["Range: bytes=24-"], 206, "bytes 24-25/26", "yz"),
        (["Range: bytes=26-"], 416, "bytes */26", "the range lies outside of the content, which has 26 bytes\n"),
        (["Range: bytes=3-1"], 416, "bytes */26", "the range lies outside of the content, which has 26 bytes\n"),
        (["Range: bytes=0-1,1-3"], 206, "bytes 0-3/26", "abcd"),
        (["Range: bytes=0-1,99-"], 206, "bytes 0-1/26", "ab"), (["Range: bytes=0-0", "If-Range: \"v1\""], 206, "bytes 0-0/26", "a"),
        (["Range: bytes=0-0", "If-Range: \"v2\""], 200, nil, TestHandler.alphabet),
        (["Range: bytes=0-0", "If-Range: W/\"v1\""], 200, nil, TestHandler.alphabet),
        (["Range: bytes=0-0", "If-Range: Sun, 06 Nov 1994 08:49:37 GMT"], 206, "bytes 0-0/26", "a"),
        (["Range: bytes=0-0", "If-Range: Sun, 06 Nov 1994 08:49:38 GMT"], 200, nil, TestHandler.alphabet), (["If-None-Match: \"v1\""], 304, nil, ""),
        (["If-None-Match: \"v1\"", "Range: bytes=0-0"], 304, nil, ""),
        (["If-Match: \"v2\""], 412, nil, "the resource is not what the request's condition says\n"),
        (["Range: bytes=" + Array(repeating: "0-0", count: 65).joined(separator: ",")], 400, nil, "at most 64 ranges are served at a time\n"),
    ]

    @Test("ranges and conditions are answered as RFC 9110 says")
    func table() async throws {
        try await TestServer.run(TestHandler()) { server in
            for row in Self.golden {
                let response = try await server.ask("GET /letters", headers: row.headers)
                #expect(response.status == row.status, "\(row.headers)")
                #expect(response["Content-Range"] == row.range, "\(row.headers)")
                #expect(response.text == row.body, "\(row.headers)")
                #expect(response["ETag"] == "\"v1\"")
            }
        }
    }

    @Test("several ranges come as parts whose lengths add up")
    func multipart() async throws {
        try await TestServer.run(TestHandler()) { server in
            let response = try await server.ask("GET /letters", headers: ["Range: bytes=20-21,0-1"])
            #expect(response.status == 206 && response["Content-Range"] == nil)
            let boundary = try #require(response["Content-Type"]?.split(separator: "=").last)
            let part = { (range: String, text: String) in "Content-Type: text/plain\r\nContent-Range: bytes \(range)/26\r\n\r\n\(text)\r\n" }
            #expect(response.text == "--\(boundary)\r\n\(part("0-1", "ab"))--\(boundary)\r\n\(part("20-21", "uv"))--\(boundary)--\r\n")
        }
    }

    @Test("HEAD has the headers of GET, no body, and no range")
    func head() async throws {
        try await TestServer.run(TestHandler()) { server in
            try await server.talk { client in
                client.send("HEAD /letters HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\n\r\nGET /letters HTTP/1.1\r\nHost: a\r\n\r\n")
                let (head, get) = (try client.response(toHead: true), try client.response())
                #expect(head.status == 200 && head["Content-Length"] == "26" && get.text == TestHandler.alphabet)
                let names = { (response: RawClient.Response) in response.headers.map(\.name) }
                #expect(names(head) == names(get))
            }
        }
    }

    @Test("content carries its validators, its cache report and the safety headers")
    func headers() async throws {
        try await TestServer.run(TestHandler()) { server in
            let response = try await server.ask("GET /letters")
            let expected = [
                "Content-Type": "text/plain", "Content-Length": "26", "Accept-Ranges": "bytes", "Cache-Control": "public, max-age=31536000, immutable",
                "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT", "X-Cache": "HIT", "Age": "7", "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "sandbox", "Date": "Sun, 06 Nov 1994 08:49:37 GMT",
            ]
            for (name, value) in expected { #expect(response[name] == value, "\(name)") }
            let mutable = try await server.ask("GET /empty")
            #expect(mutable["Cache-Control"] == "no-cache")
            // What somebody signed in for is for no cache that others ask.
            let own = try await server.ask("GET /letters", headers: ["Authorization: Bearer token"])
            #expect(own["Cache-Control"] == "private, max-age=31536000, immutable")
            let known = try await server.ask("GET /letters", headers: ["Authorization: Bearer token", "If-None-Match: *"])
            #expect(known.status == 304 && known["Cache-Control"] == "private, max-age=31536000, immutable")
        }
    }

    @Test("content of unknown length comes in chunks, or ends with the connection on HTTP/1.0")
    func unknownLength() async throws {
        try await TestServer.run(TestHandler()) { server in
            let response = try await server.ask("GET /unknown", headers: ["Range: bytes=0-1"])
            #expect(response.status == 200 && response["Transfer-Encoding"] == "chunked" && response.text == TestHandler.alphabet)
            let old = try await server.talk { client in
                client.send("GET /unknown HTTP/1.0\r\n\r\n")
                return try client.response()
            }
            #expect(old["Transfer-Encoding"] == nil && old.text == TestHandler.alphabet)
        }
    }

    @Test("a document with a validator is 304 to who has it")
    func document() async throws {
        try await TestServer.run(TestHandler()) { server in
            let known = try await server.ask("GET /document", headers: ["If-None-Match: W/\"d1\""])
            let unknown = try await server.ask("GET /document")
            let none = try await server.ask("GET /gone")
            #expect(known.status == 304 && unknown.text == "document" && none.status == 204)
        }
    }

    @Test("content that breaks never ends cleanly, and is refused where nothing was sent yet")
    func broken() async throws {
        try await TestServer.run(TestHandler()) { server in
            try await server.talk { client in
                client.send("GET /broken HTTP/1.1\r\nHost: a\r\n\r\n")
                let head = try client.head()
                #expect(head["Content-Length"] == "26" && client.rest().count <= 10)
            }
            #expect(await server.log.line("/broken")["cut"] == "true")
            let never = try await server.ask("GET /never")
            #expect(never.status == 502)
        }
    }

    @Test("files arrive whole, by eight clients at once, in pieces of every kind", arguments: [100, 65_536, 65_537, 9_000_001])
    func files(size: Int) async throws {
        let file = try TestFile(size: size)
        let bytes = try file.bytes()
        try await TestServer.run(TestHandler(file: file)) { server in
            try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<8 { group.addTask { try await server.ask("GET /file").body } }
                for try await body in group { #expect(body == bytes) }
            }
            let part = try await server.ask("GET /file", headers: ["Range: bytes=50-\(size - 10)"])
            #expect(part.body == Array(bytes[50...(size - 10)]))
        }
    }
}
