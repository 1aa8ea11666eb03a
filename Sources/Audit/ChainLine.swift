/// What a line says of its place in the chain, read from its end; its other members are not looked at.
struct ChainLine: Hashable, Sendable {
    var seq: Int64
    /// What it takes the line before it to hash to.
    var prev: LineHash
    /// What it hashes to itself.
    var hash: LineHash

    var end: ChainEnd { ChainEnd(seq: self.seq, hash: self.hash) }

    /// - Parameter line: without its newline.
    /// - Returns: nil where it does not end as a line of the trail does.
    init?(_ line: UnsafeRawBufferPointer) {
        guard Self.begins(line), let seqEnd = Self.index(before: "\"}", line, line.count), let prev = seqEnd >= 64 ? seqEnd - 64 : nil,
            let digits = Self.index(before: ",\"prev\":\"", line, prev)
        else { return nil }
        var start = digits
        while start > 0, digits - start < ChainEnd.mostDigits, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(line[start - 1]) { start -= 1 }
        guard let seq = ChainEnd.seq(of: String(decoding: line[start..<digits], as: UTF8.self)), line[start] != UInt8(ascii: "0"),
            Self.index(before: ",\"seq\":", line, start) != nil, let hash = LineHash(hex: UnsafeRawBufferPointer(rebasing: line[prev..<seqEnd]))
        else { return nil }
        self.seq = seq
        self.prev = hash
        self.hash = LineHash(of: line)
    }

    /// Where `text` begins, where it ends at `end`; nil: something else is there.
    private static func index(before text: StaticString, _ line: UnsafeRawBufferPointer, _ end: Int) -> Int? {
        let start = end - text.utf8CodeUnitCount
        guard start >= 0 else { return nil }
        return text.withUTF8Buffer { line[start..<end].elementsEqual($0) } ? start : nil
    }

    private static func begins(_ line: UnsafeRawBufferPointer) -> Bool { Self.has(Self.timePrefix, line, at: 0) }

    private static let timePrefix: StaticString = "{\"time\":\""
    private static let timeLength = 24
    private static let kindAt = 9 + timeLength

    /// Whether the line is of this kind, with quotes: `","kind":"pull"`.
    static func has(kind: StaticString, _ line: UnsafeRawBufferPointer) -> Bool { Self.has(kind, line, at: Self.kindAt) }

    /// The moment at the line's beginning; nil where there is none.
    static func time(of line: UnsafeRawBufferPointer) -> String? {
        guard Self.begins(line), line.count > Self.kindAt, line[Self.kindAt] == UInt8(ascii: "\"") else { return nil }
        return String(decoding: line[9..<Self.kindAt], as: UTF8.self)
    }

    private static func has(_ text: StaticString, _ line: UnsafeRawBufferPointer, at start: Int) -> Bool {
        let end = start + text.utf8CodeUnitCount
        guard line.count >= end else { return false }
        return text.withUTF8Buffer { line[start..<end].elementsEqual($0) }
    }
}
