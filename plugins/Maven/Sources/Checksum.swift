import ArtifactModel
import FormatAPI
import HTTPTypes

/// A checksum as its file has it: hex digits, and maybe the file's name before or behind them.
enum Checksum {
    /// In bytes: of a file that has one.
    static let longest = 4 << 10

    /// nil: there is none of this algorithm in it.
    static func read(_ bytes: some Collection<UInt8>, _ algorithm: ContentDigest.Algorithm) -> ContentDigest? {
        let words = String(decoding: bytes.prefix(Self.longest), as: UTF8.self).split { $0.isWhitespace || $0 == "=" }
        let word = words.first { $0.utf8.count == algorithm.length * 2 && $0.utf8.allSatisfy(\.isHexDigit) }
        do { return try word.map { try ContentDigest("\(algorithm.rawValue):\($0.lowercased())") } } catch { return nil }
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool {
        (0x30...0x39).contains(self) || (0x41...0x46).contains(self) || (0x61...0x66).contains(self)
    }
}
