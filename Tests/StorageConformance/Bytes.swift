import ArtifactModel
import struct Crypto.SHA256
import NIOCore
import StorageAPI

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

enum Bytes {
    static func digest(of text: String) throws -> ContentDigest { try demandValue(ContentDigest(.sha256, SHA256.hash(data: Array(text.utf8)))) }

    /// All of a source, as text.
    static func read(_ source: any ContentSource) async throws -> String {
        var bytes: [UInt8] = []
        while let piece = try await source.next(at: Int64(bytes.count), limit: 7) {
            switch piece {
            case .bytes(let buffer): bytes += buffer.readableBytesView
            case .file(let file, let range): bytes += try Self.read(file, range)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func read(_ file: OpenFile, _ range: Range<Int64>) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        let count = bytes.withUnsafeMutableBytes { pread(file.descriptor, $0.baseAddress, $0.count, off_t(range.lowerBound)) }
        try demandEqual(count, range.count)
        return bytes
    }
}
