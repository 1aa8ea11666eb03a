import ArtifactModel
import FormatAPI

/// A chart's version as Helm takes it: Semantic Versioning, with a `v` before it and fewer than three numbers where somebody writes so.
///
/// Ordered by precedence (semver.org, 11), then by the text.
struct ChartVersion: Hashable, Sendable, CustomStringConvertible {
    /// In bytes.
    static let longest = 128

    let text: String
    /// `memcmp` order is precedence: equal where two differ in what is built alone.
    let sortKey: [UInt8]
    /// It has all three numbers.
    let isWhole: Bool

    /// - Throws: `.invalidRequest`.
    init(_ text: String) throws(FormatError) {
        guard let version = ChartVersion(reading: text) else {
            throw FormatError(.invalidRequest, "«\(text.prefix(Self.longest))» is not a version: it must read like 1.2.3 or 1.2.3-rc.1 (semver.org)")
        }
        self = version
    }

    /// nil: it is none.
    init?(reading text: String) {
        guard text.utf8.count <= Self.longest else { return nil }
        var reader = VersionReader(bytes: Array(text.utf8))
        guard reader.read() else { return nil }
        self.text = text
        self.sortKey = reader.key
        self.isWhole = reader.isWhole
    }

    var description: String { self.text }
}

/// Reads a version once, and makes its key: three numbers, each as the count of its digits and these; then the pre-release's identifiers, a mark before each; then
/// the last mark.
private struct VersionReader {
    /// Fewer identifiers come before more of them, numbers before words, and all of them before the release.
    private enum Mark {
        static let end: UInt8 = 0
        static let number: UInt8 = 1
        static let word: UInt8 = 2
        static let release: UInt8 = 0xFF
    }

    let bytes: [UInt8]
    private(set) var key: [UInt8] = []
    private(set) var isWhole = true
    private var at = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// - Returns: whether it is a version.
    mutating func read() -> Bool {
        _ = self.take("v")
        guard self.number() else { return false }
        for _ in 1..<3 {
            if self.take(".") {
                guard self.number() else { return false }
            } else {
                self.isWhole = false
                self.key += [1, UInt8(ascii: "0")]
            }
        }
        let isPrerelease = self.take("-")
        if isPrerelease {
            repeat { guard self.identifier() else { return false } } while self.take(".")
        }
        self.key.append(isPrerelease ? Mark.end : Mark.release)
        if self.take("+") {
            repeat { guard !self.word().isEmpty else { return false } } while self.take(".")
        }
        return self.at == self.bytes.count
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

    private mutating func number() -> Bool {
        let start = self.at
        while self.at < self.bytes.count, Self.isDigit(self.bytes[self.at]) { self.at += 1 }
        return self.add(self.bytes[start..<self.at])
    }

    /// By its digits without zeros before them: it may be of any length, and a longer one is greater.
    private mutating func add(_ digits: ArraySlice<UInt8>) -> Bool {
        guard !digits.isEmpty else { return false }
        let rest = digits.drop { $0 == UInt8(ascii: "0") }
        let shown = rest.isEmpty ? digits.suffix(1) : rest
        self.key.append(UInt8(shown.count))
        self.key += shown
        return true
    }

    private mutating func identifier() -> Bool {
        let word = self.word()
        guard !word.isEmpty else { return false }
        if word.allSatisfy(Self.isDigit) {
            self.key.append(Mark.number)
            return self.add(word)
        }
        self.key.append(Mark.word)
        self.key += word
        self.key.append(0)
        return true
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
