import Compression
import NIOCore
import Testing

@Suite("gzip")
struct GzipTests {
    /// What a document is like, and what cannot be compressed at all.
    private static let texts: [[UInt8]] = [
        [], [0], Array("hello".utf8), Array(String(repeating: "\"version\":\"1.0.0\",", count: 500).utf8),
        {
            var seed: UInt64 = 42
            return (0..<5000).map { _ in
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: seed >> 33)
            }
        }(),
    ]

    private static func pieces(_ bytes: [UInt8], of size: Int) -> [ByteBuffer] {
        stride(from: 0, to: bytes.count, by: size).map { ByteBuffer(bytes: bytes[$0..<min(bytes.count, $0 + size)]) }
    }

    private static func encoded(_ pieces: [ByteBuffer], level: Int) -> [UInt8] {
        let encoder = GzipEncoder(level: level)
        var out: [UInt8] = []
        for (place, piece) in (pieces + [ByteBuffer()]).enumerated() {
            var piece = piece
            while let bytes = encoder.encode(&piece, isLast: place == pieces.count) { out += bytes.readableBytesView }
            #expect(piece.readableBytes == 0)
        }
        return out
    }

    private static func decoded(_ pieces: [ByteBuffer]) throws(GzipError) -> [UInt8] {
        let decoder = GzipDecoder()
        var out: [UInt8] = []
        for var piece in pieces {
            while let bytes = try decoder.decode(&piece) { out += bytes.readableBytesView }
        }
        try decoder.finish()
        return out
    }

    @Test("what was compressed in pieces of any size comes back from pieces of any size, and the pieces make no difference", arguments: texts.indices)
    func roundTrip(_ number: Int) throws {
        let text = Self.texts[number]
        for level in [1, 5, 9] {
            let whole = Self.encoded([ByteBuffer(bytes: text)], level: level)
            #expect(Array(ByteBuffer(bytes: text).gzipped(level: level).readableBytesView) == whole)
            for size in [1, 2, 3, 7, 100, 4096] {
                #expect(Self.encoded(Self.pieces(text, of: size), level: level) == whole)
                #expect(try Self.decoded(Self.pieces(whole, of: size)) == text)
            }
        }
    }

    @Test("what is cut anywhere is truncated, and cut in two it is whole", arguments: texts.indices)
    func cut(_ number: Int) throws {
        let text = Self.texts[number]
        let whole = Self.encoded([ByteBuffer(bytes: text)], level: 5)
        for place in whole.indices {
            let (head, tail) = (ByteBuffer(bytes: whole[..<place]), ByteBuffer(bytes: whole[place...]))
            #expect(throws: GzipError.truncated) { try Self.decoded([head]) }
            #expect(try Self.decoded([head, tail]) == text)
        }
    }

    @Test("several members are one text, however they are cut")
    func members() throws {
        let parts = Self.texts.map { Self.encoded([ByteBuffer(bytes: $0)], level: 3) }
        for size in [1, 5, 64, 100_000] {
            #expect(try Self.decoded(Self.pieces(parts.flatMap { $0 }, of: size)) == Self.texts.flatMap { $0 })
        }
    }

    @Test("a stream of zlib is read too")
    func zlib() throws {
        #expect(try Self.decoded([ByteBuffer(bytes: [0x78, 0x9C, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x06, 0x2C, 0x02, 0x15])]) == Array("hello".utf8))
    }

    @Test("what comes after the end is refused, and is no truncation", arguments: ["garbage", "<", "\u{1F}x"])
    func trailing(_ text: String) throws {
        let whole = Self.encoded([ByteBuffer(string: "hello")], level: 5)
        let expected: GzipError = text.utf8.count == 1 ? .truncated : .trailing
        #expect(throws: expected) { try Self.decoded([ByteBuffer(bytes: whole + Array(text.utf8))]) }
        #expect(throws: expected) { try Self.decoded(Self.pieces(whole + Array(text.utf8), of: 1)) }
    }

    @Test("no damaged byte goes unnoticed where it matters, and a failed decoder stays failed")
    func corrupt() throws {
        let whole = Self.encoded([ByteBuffer(bytes: Self.texts[3])], level: 5)
        // The header's time and system are nobody's to check.
        for place in whole.indices where !(4...9).contains(place) {
            var damaged = whole
            damaged[place] ^= 0x55
            #expect(throws: GzipError.self) { try Self.decoded([ByteBuffer(bytes: damaged)]) }
        }
        #expect(throws: GzipError.corrupt) { try Self.decoded([ByteBuffer(string: "<html>no gzip</html>")]) }
        let decoder = GzipDecoder()
        for _ in 0..<2 {
            var bytes = ByteBuffer(string: "<html>no gzip</html>")
            #expect(throws: GzipError.corrupt) { try decoder.decode(&bytes) }
        }
        #expect(throws: GzipError.corrupt) { try decoder.finish() }
    }

    @Test("a bomb gives at most 256 KiB at each call, and so does what is compressed")
    func bounded() throws {
        let zeros = ByteBuffer(repeating: 0, count: 64 << 20)
        var bomb = zeros.gzipped(level: 9)
        #expect(bomb.readableBytes < 100 << 10)
        let decoder = GzipDecoder()
        var (sum, calls) = (0, 0)
        while let piece = try decoder.decode(&bomb) {
            #expect(piece.readableBytes <= 256 << 10)
            sum += piece.readableBytes
            calls += 1
        }
        try decoder.finish()
        #expect(sum == 64 << 20 && calls == 256)
        var seed: UInt64 = 7
        var noise = ByteBuffer()
        for _ in 0..<(1 << 18) {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            noise.writeInteger(seed)
        }
        let encoder = GzipEncoder(level: 1)
        while let piece = encoder.encode(&noise, isLast: true) { #expect(piece.readableBytes <= 256 << 10) }
    }
}
