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
            throw FormatError(
                .invalidRequest,
                "«\(text.prefix(Self.longest))» is not a version: it must read like 1.2.3 or 1.2.3-beta.1 (semver.org)"
            )
        }
        self = version
    }

    /// nil: it is none.
    init?(bytes: some BidirectionalCollection<UInt8>) {
        guard bytes.count <= Self.longest else { return nil }
        let parts = bytes.split(
            separator: UInt8(ascii: "+"), maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            for identifier in Self.identifiers(parts[1])
            where identifier.isEmpty || !identifier.allSatisfy(Self.isAllowed) { return nil }
        }
        let halves = parts[0].split(
            separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = Self.identifiers(halves[0])
        guard numbers.count == 3 else { return nil }
        var key: [UInt8] = []
        key.reserveCapacity(16)
        for digits in numbers {
            guard let number = Self.number(digits) else { return nil }
            Self.append(number, to: &key)
        }
        if halves.count == 2 {
            for identifier in Self.identifiers(halves[1]) {
                guard Self.append(identifier, to: &key) else { return nil }
            }
        }
        key.append(halves.count == 2 ? Mark.end : Mark.release)
        self.sortKey = key
        self.isPrerelease = halves.count == 2
        self.text = String(decoding: bytes, as: UTF8.self)
    }

    var description: String { self.text }

    static func < (a: Self, b: Self) -> Bool {
        if a.sortKey != b.sortKey { return a.sortKey.lexicographicallyPrecedes(b.sortKey) }
        return a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
    }
}

// The key: three numbers, each as the count of its bytes and these; then the pre-release's identifiers, a mark before each; then the last mark.
extension NpmVersion {
    private enum Mark {
        /// Fewer identifiers come before more of them, numbers before words, and all of them before the release.
        static let end: UInt8 = 0
        static let number: UInt8 = 1
        static let word: UInt8 = 2
        static let release: UInt8 = 0xFF
    }

    private static func append(_ number: UInt64, to key: inout [UInt8]) {
        let count = (UInt64.bitWidth - number.leadingZeroBitCount + 7) / 8
        key.append(UInt8(count))
        for place in (0..<count).reversed() {
            key.append(UInt8(truncatingIfNeeded: number >> UInt64(place * 8)))
        }
    }

    /// - Returns: whether it is one of a pre-release.
    private static func append(_ identifier: some Collection<UInt8>, to key: inout [UInt8]) -> Bool {
        guard let first = identifier.first, identifier.allSatisfy(Self.isAllowed) else { return false }
        if identifier.allSatisfy(Self.isDigit) {
            guard first != UInt8(ascii: "0") || identifier.count == 1 else { return false }
            // As text, since it may be of any length; a longer one is greater.
            key.append(Mark.number)
            key.append(UInt8(identifier.count))
            key.append(contentsOf: identifier)
        } else {
            key.append(Mark.word)
            key.append(contentsOf: identifier)
            key.append(0)
        }
        return true
    }

    private static func number(_ digits: some Collection<UInt8>) -> UInt64? {
        guard (1...16).contains(digits.count), digits.allSatisfy(Self.isDigit),
            digits.first != UInt8(ascii: "0") || digits.count == 1
        else { return nil }
        let number = digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1 - UInt8(ascii: "0")) }
        return number <= Self.largest ? number : nil
    }

    private static func identifiers<Bytes: Collection<UInt8>>(_ bytes: Bytes) -> [Bytes.SubSequence] {
        bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        byte.isASCIILetterOrDigit || byte == UInt8(ascii: "-")
    }
}
