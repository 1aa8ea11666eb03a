/// A repository's name, as in `/repository/<name>/`: 1 to 128 of `A–Z a–z 0–9 . _ -`, the first a letter or digit.
public struct RepositoryName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) throws(InvalidName) {
        let bytes = text.utf8
        let allowed = bytes.allSatisfy { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
        guard allowed, (1...128).contains(bytes.count), bytes.first?.isASCIILetterOrDigit == true else {
            throw InvalidName(
                kind: "repository name", text: text, rule: "1 to 128 letters, digits, dots, hyphens and underscores, beginning with a letter or digit")
        }
        self.text = text
    }

    public var description: String { self.text }
    public static func < (a: Self, b: Self) -> Bool { a.text.utf8.lexicographicallyPrecedes(b.text.utf8) }
}

extension UInt8 {
    /// `A–Z`, `a–z`, `0–9`.
    public var isASCIILetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}

/// A repository's number. Never used again after the repository is deleted: cache keys and upload sessions hold it.
public struct RepositoryID: Hashable, Comparable, Sendable {
    public let number: Int64
    public init(_ number: Int64) { self.number = number }
    public static func < (a: Self, b: Self) -> Bool { a.number < b.number }
}

/// A blob store's number in the metadata.
public struct BlobStoreID: Hashable, Sendable {
    public let number: Int64
    public init(_ number: Int64) { self.number = number }
}
