import ArtifactModel
import FormatAPI

/// A version as Semantic Versioning 2.0.0 writes it, and nothing else: no `v` before it, no zero before a number.
///
/// Ordered by precedence (11), then by the text, so that two which differ in what is built alone have a place each.
struct NpmVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// In bytes.
    static let longest = 256
    /// What JavaScript counts to. Clients refuse more.
    static let largest: UInt64 = 1 << 53 - 1

    let text: String
    /// `memcmp` order is precedence: equal where two differ in what is built alone.
    let sortKey: [UInt8]
    /// `1.0.0-rc.1`
    let isPrerelease: Bool

    /// - Throws: `.invalidRequest`.
    init(_ text: String) throws(FormatError) {
        guard let version = NpmVersion(bytes: text.utf8) else {
            throw FormatError(.invalidRequest, "«\(text.prefix(Self.longest))» is not a version: it must read like 1.2.3 or 1.2.3-beta.1 (semver.org)")
        }
        self = version
    }

    /// nil: it is none.
    init?(bytes: some Collection<UInt8>) {
        guard bytes.count <= Self.longest else { return nil }
        var reader = Reader(bytes: Array(bytes))
        guard let isPrerelease = reader.read() else { return nil }
        self.sortKey = reader.key
        self.isPrerelease = isPrerelease
        self.text = String(decoding: reader.bytes, as: UTF8.self)
    }

    var description: String { self.text }

    static func < (a: Self, b: Self) -> Bool {
        if a.sortKey != b.sortKey { return a.sortKey.lexicographicallyPrecedes(b.sortKey) }
        return a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
    }
}

extension NpmVersion {
    /// Reads a version once, and makes its key: three numbers, each as the count of its bytes and these; then the pre-release's identifiers, a mark
    /// before each; then the last mark.
    private struct Reader {
        /// Fewer identifiers come before more of them, numbers before words, and all of them before the release.
        private enum Mark {
            static let end: UInt8 = 0
            static let number: UInt8 = 1
            static let word: UInt8 = 2
            static let release: UInt8 = 0xFF
        }

        let bytes: [UInt8]
        private(set) var key: [UInt8] = []
        private var at = 0

        init(bytes: [UInt8]) {
            self.bytes = bytes
            self.key.reserveCapacity(16)
        }

        /// - Returns: whether it is a pre-release; nil: it is no version.
        mutating func read() -> Bool? {
            for place in 0..<3 {
                guard place == 0 || self.take("."), self.readNumber() else { return nil }
            }
            let isPrerelease = self.take("-")
            if isPrerelease {
                repeat { guard self.readIdentifier() else { return nil } } while self.take(".")
            }
            self.key.append(isPrerelease ? Mark.end : Mark.release)
            if self.take("+") {
                repeat { guard !self.word().isEmpty else { return nil } } while self.take(".")
            }
            return self.at == self.bytes.count ? isPrerelease : nil
        }

        private mutating func take(_ mark: Unicode.Scalar) -> Bool {
            guard self.at < self.bytes.count, self.bytes[self.at] == UInt8(ascii: mark) else { return false }
            self.at += 1
            return true
        }

        private mutating func word() -> ArraySlice<UInt8> {
            let start = self.at
            while self.at < self.bytes.count, self.bytes[self.at].isASCIILetterOrDigit || self.bytes[self.at] == UInt8(ascii: "-") { self.at += 1 }
            return self.bytes[start..<self.at]
        }

        private mutating func readNumber() -> Bool {
            let start = self.at
            var number: UInt64 = 0
            while self.at < self.bytes.count, NpmVersion.isDigit(self.bytes[self.at]), self.at - start < 17 {
                number = number * 10 + UInt64(self.bytes[self.at] - UInt8(ascii: "0"))
                self.at += 1
            }
            guard self.at > start, number <= NpmVersion.largest, self.bytes[start] != UInt8(ascii: "0") || self.at == start + 1 else { return false }
            let count = (UInt64.bitWidth - number.leadingZeroBitCount + 7) / 8
            self.key.append(UInt8(count))
            for place in (0..<count).reversed() { self.key.append(UInt8(truncatingIfNeeded: number >> UInt64(place * 8))) }
            return true
        }

        /// One of a pre-release.
        private mutating func readIdentifier() -> Bool {
            let word = self.word()
            guard let first = word.first else { return false }
            if word.allSatisfy(NpmVersion.isDigit) {
                guard first != UInt8(ascii: "0") || word.count == 1 else { return false }
                // As text, since it may be of any length; a longer one is greater.
                self.key.append(Mark.number)
                self.key.append(UInt8(word.count))
                self.key.append(contentsOf: word)
            } else {
                self.key.append(Mark.word)
                self.key.append(contentsOf: word)
                self.key.append(0)
            }
            return true
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
