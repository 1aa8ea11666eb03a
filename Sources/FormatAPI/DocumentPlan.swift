import ArtifactModel

/// How a document is put together: text, parts of its sources, and the public address of the repository that it is asked of.
public struct DocumentPlan: Sendable {
    public enum Piece: Hashable, Sendable {
        /// Of `text`.
        case text(Range<Int>)
        /// Offsets in the bytes of a source.
        case slice(source: Int, Range<Int64>)
        /// `https://host/repository/name`, without a slash at its end.
        case publicBase
        /// The path of that alone: `/repository/name`; nothing at a root of the repository's own.
        case publicPath
    }

    public private(set) var pieces: [Piece] = []
    /// All that is written, one behind the other.
    public private(set) var text: [UInt8] = []

    public init() {}

    public mutating func write(_ text: some StringProtocol) { self.write(text.utf8) }

    public mutating func write(_ bytes: some Sequence<UInt8>) {
        let start = self.text.count
        self.text.append(contentsOf: bytes)
        guard self.text.count > start else { return }
        if case .text(let before)? = self.pieces.last {
            self.pieces[self.pieces.count - 1] = .text(before.lowerBound..<self.text.count)
        } else {
            self.pieces.append(.text(start..<self.text.count))
        }
    }

    public mutating func writePublicPath() { self.pieces.append(.publicPath) }

    public mutating func copy(_ range: Range<Int64>, from source: Int) {
        guard !range.isEmpty else { return }
        self.pieces.append(.slice(source: source, range))
    }

    /// An entry's bytes, with addresses below the repository's own in its slots.
    public mutating func copy(_ entry: Outline.Entry, from source: Int) {
        var at = entry.bytes.lowerBound
        for slot in entry.slots {
            self.copy(at..<slot.bytes.lowerBound, from: source)
            self.pieces.append(.publicBase)
            self.write("/" + slot.path)
            at = slot.bytes.upperBound
        }
        self.copy(at..<entry.bytes.upperBound, from: source)
    }
}
