public import ArtifactModel

/// A user's name, of the configuration or of the database. Equal where the bytes are: two spellings of «é» are two users.
public struct AccountName: Hashable, Sendable, CustomStringConvertible {
    public static let rule = "1 to 128 bytes without blanks and colons"

    public let text: String

    public init(_ text: String) throws(InvalidName) {
        guard (1...128).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ":") }) else {
            throw InvalidName(kind: "user's name", text: text, rule: Self.rule)
        }
        self.text = text
    }

    public var description: String { self.text }
    public static func == (a: Self, b: Self) -> Bool { ByteText.equal(a.text, b.text) }
    public func hash(into hasher: inout Hasher) { ByteText.hash(self.text, into: &hasher) }
}
