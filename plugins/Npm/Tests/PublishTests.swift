import ArtifactModel
import FormatAPI
import NIOCore
import TestDice
import Testing

@testable import NpmFormat

struct DirectPool: BlockingPool {
    func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T { try work() }
}

/// Pieces of a body, one for each call.
private actor Pieces {
    private var rest: [ByteBuffer]
    init(_ bytes: [UInt8], _ size: Int) {
        self.rest = stride(from: 0, to: bytes.count, by: size).map { ByteBuffer(bytes: bytes[$0..<min(bytes.count, $0 + size)]) }
        self.rest.reverse()
    }
    func next() -> ByteBuffer? { self.rest.popLast() }
}

@Suite("Bodies of publishes")
struct PublishTests {
    private static func read(
        _ bytes: [UInt8], by size: Int = 1 << 20, limits: JSONTree.Limits = .init(), reading most: Int = .max
    ) async throws -> PublishBody<[UInt8]> {
        let pieces = Pieces(bytes, size)
        return try await PublishReader(pool: DirectPool(), limits: limits).read(ByteStream(length: nil) { await pieces.next() }) { _, stream in
            var out: [UInt8] = []
            while out.count < most, let chunk = try await stream.next() {
                #expect(chunk.readableBytes > 0 && chunk.readableBytes <= 1 << 20)
                out += chunk.readableBytesView
            }
            return out
        }
    }

    private static let text = #"""
        {"_id":"hello","versions":{"1.0.0":{"_attachments":{"x":{"data":"!"}},"n":1.0}},"_attachments":{"hello-1.0.0.tgz":{"content_type":"application/octet-stream",
        "data":"aGVsbG8\/IQ=\u003d","length":7},"b.sigstore":{"data":"{\"a\":\"\u00e9\"}","length":9},"stub":{"stub":true}},"readme":"é"}
        """#

    @Test("attachments are decoded in their order, and the rest is a value without them", arguments: [1, 2, 3, 7, 64, 1000])
    func read(_ size: Int) async throws {
        let body = try await Self.read(Array(Self.text.utf8), by: size)
        #expect(body.document.text == #"{"_id":"hello","versions":{"1.0.0":{"_attachments":{"x":{"data":"!"}},"n":1.0}},"readme":"é"}"#)
        #expect(body.attachments.map(\.name) == ["hello-1.0.0.tgz", "b.sigstore"] && body.attachments.map(\.declaredLength) == [7, 9])
        #expect(body.attachments[0].contentType == "application/octet-stream" && body.attachments[1].contentType == nil)
        #expect(body.attachments.map(\.stored) == [Array("hello?!".utf8), Array(#"{"a":"é"}"#.utf8)])
    }

    @Test("what is not read of an attachment is passed over, and the next one is whole")
    func unread() async throws {
        let text = #"{"_attachments":{"a":{"data":"\#(String(repeating: "QUJD", count: 300_000))"},"b":{"data":"QQ=="},"c":{"data":""}}}"#
        let body = try await Self.read(Array(text.utf8), by: 1000, reading: 1)
        #expect(body.attachments.map(\.name) == ["a", "b", "c"] && body.attachments[1].stored == [65] && body.attachments[2].stored.isEmpty)
        #expect(body.attachments[0].stored.count < 300_000)
    }

    @Test("large attachments come in pieces and whole", arguments: [4096, 1 << 20])
    func large(_ size: Int) async throws {
        let bytes = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let text = #"{"name":"hello","_attachments":{"a":{"data":"\#(base64(bytes))"}}}"#
        #expect(try await Self.read(Array(text.utf8), by: size).attachments.first?.stored == bytes)
    }

    @Test(
        "what is cut, twice there, not JSON or not base64 is refused",
        arguments: [
            "", "[]", "1", #"{"a":1"#, #"{"a":1}x"#, #"{"a":1,"a":1}"#, #"{"x":[{"b":1,"b":2}]}"#, #"{"_attachments":{"a":{"data":"QQ=="#,
            #"{"_attachments":{"a":{"data":"QQ="}}}"#,
            #"{"_attachments":{"a":{"data":"QQ"}}}"#, #"{"_attachments":{"a":{"data":"Q==="}}}"#, #"{"_attachments":{"a":{"data":"QQ==QQ=="}}}"#,
            #"{"_attachments":{"a":{"data":"QR=="}}}"#, #"{"_attachments":{"a":{"data":"QUI=="}}}"#, #"{"_attachments":{"a":{"data":"QU-_"}}}"#,
            #"{"_attachments":{"a":{"data":"QQ\n=="}}}"#, #"{"_attachments":{"a":{"data":"QQ==","data":"QQ=="}}}"#,
            #"{"_attachments":{"a":{"data":"QQ=="},"a":{"data":"QQ=="}}}"#, #"{"_attachments":{"a":{"data":"QQ==","x":1,"x":2}}}"#,
            #"{"_attachments":{"a":{"data":"é"}}}"#,
            #"{"a":\#(String(repeating: "[", count: 200))"#,
        ])
    func refused(_ text: String) async {
        for size in [1, 1 << 20] {
            let error = await #expect(throws: FormatError.self, "\(text)") { try await Self.read(Array(text.utf8), by: size) }
            #expect(error?.code == .invalidRequest)
        }
    }

    @Test("more metadata than the limit is too large, however long the attachments may be")
    func limits() async throws {
        let data = String(repeating: "QUJD", count: 1000)
        let fits = #"{"_attachments":{"a":{"data":"\#(data)"}},"x":"\#(String(repeating: "x", count: 60))"}"#
        _ = try await Self.read(Array(fits.utf8), limits: .init(bytes: 100, values: 5))
        for text in [
            #"{"x":"\#(String(repeating: "x", count: 101))"}"#, "{\"x\":[1,2,3,4]}",
            #"{"x":{"a":"\#(String(repeating: "x", count: 60))","b":"\#(fits.suffix(60).prefix(50))"}}"#,
        ] {
            let error = await #expect(throws: FormatError.self) { try await Self.read(Array(text.utf8), by: 10, limits: .init(bytes: 100, values: 5)) }
            #expect(error?.code == .tooLarge)
        }
    }

    @Test("a damaged publish is refused, or read as it is, and the same however it is cut", arguments: [1, 2, 3])
    func damaged(seed: UInt64) async throws {
        var dice = Dice(state: seed)
        for _ in 0..<400 {
            let bytes = dice.damaged(Self.text, ["\"", "{", "}", ",", "=", "QUI=", "\"data\":\"", "\\u0041", "é", "_attachments", "\\"])
            guard !bytes.isEmpty else { continue }
            var told: [String] = []
            for size in [bytes.count, Int.random(in: 1...20, using: &dice)] {
                do {
                    let body = try await Self.read(bytes, by: size)
                    told.append(body.document.text + body.attachments.map { "\($0.name) \($0.stored)" }.joined())
                } catch let error as FormatError {
                    told.append("\(error.code)")
                }
            }
            #expect(told[0] == told[1], "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test("what the store throws is thrown")
    func thrown() async {
        struct Broken: Error {}
        await #expect(throws: Broken.self) {
            try await PublishReader(pool: DirectPool()).read(ByteStream(length: nil) { ByteBuffer(string: Self.text) }) { (_, _) async throws -> Int in
                throw Broken()
            }
        }
    }
}

/// As everybody's encoder writes it.
func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    for at in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[at..<min(at + 3, bytes.count)]
        let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32((3 - group.count) * 8)
        for place in 0..<4 { out.append(place <= group.count ? alphabet[Int(bits >> UInt32(18 - place * 6) & 63)] : UInt8(ascii: "=")) }
    }
    return String(decoding: out, as: UTF8.self)
}
