/// A path within a repository: segments joined by `/`, no leading or trailing slash, compared and ordered byte by byte.
///
/// Checked once, at the edge. A segment is not empty, `.` or `..`, and holds no `/`, no NUL and no other control character;
/// the whole is at most 2,048 bytes of UTF-8.
public struct AssetPath: Hashable, Comparable, Sendable, CustomStringConvertible {
    public static let longest = 2048
    public let text: String

    /// - Parameter segments: percent-decoded, as in `RequestHead.path`.
    public init(_ segments: [String]) throws(InvalidName) {
        var text = ""
        for segment in segments {
            guard segment != ".", segment != "..", !segment.isEmpty, segment.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") }) else {
                throw InvalidName(
                    kind: "path", text: text + "/" + segment, rule: "segments must not be empty, «.» or «..», nor hold a slash or a control character")
            }
            if !text.isEmpty { text += "/" }
            text += segment
        }
        guard !text.isEmpty, text.utf8.count <= Self.longest else {
            throw InvalidName(kind: "path", text: text, rule: "1 to \(Self.longest) bytes")
        }
        self.text = text
    }

    /// A path that was checked before: out of the database, or put together by a format from checked parts.
    public init(checked text: String) { self.text = text }

    public var description: String { self.text }
    public static func == (a: Self, b: Self) -> Bool { ByteText.equal(a.text, b.text) }
    public func hash(into hasher: inout Hasher) { ByteText.hash(self.text, into: &hasher) }
    public static func < (a: Self, b: Self) -> Bool { a.text.utf8.lexicographicallyPrecedes(b.text.utf8) }
}
