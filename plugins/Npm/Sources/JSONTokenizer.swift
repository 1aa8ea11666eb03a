/// Reads JSON from strangers as it comes, cut anywhere. RFC 8259, all of it is checked, what nobody asked for too; UTF-8 as well.
///
/// Two things are taken that a strict reader might refuse, since packuments have them: keys that come twice, and halves of surrogate pairs in
/// escapes (a text that was cut in the middle of one). The visitor sees to the first, and gets U+FFFD for the second.
///
/// What it remembers does not grow with the document. Strings are walked eight bytes at a time.
struct JSONTokenizer: Sendable {
    /// In bytes, of keys that are heard of, their escapes resolved.
    static let longestKey = 1024

    enum State: Sendable {
        case value, valueOrEnd, key, keyOrEnd, colon, comma, done
        /// Within a string: between characters, in an escape, in its four digits, in a character of several bytes.
        case string, escape, unit, sequence
        case number, word
    }

    let deepest: Int
    var state = State.value
    /// Of containers that are open.
    var depth = 0
    /// Values in containers up to this depth are heard of.
    var heard = 0
    var isInObject = false
    /// Of each container that is open, whether it is an object.
    private var objects: [Bool]
    var text = Text()
    var numeral = Numeral.start
    /// What is to come of `true`, `false` or `null`, the next byte lowest.
    var word: UInt32 = 0

    /// - Parameter deepest: of objects and arrays within each other.
    init(deepest: Int = 512) {
        self.deepest = deepest
        self.objects = Array(repeating: false, count: deepest)
    }

    /// - Returns: how many bytes were taken: all, unless the visitor has paused.
    mutating func feed<Visitor: JSONVisitor>(_ bytes: UnsafeRawBufferPointer, at offset: Int64, _ visitor: inout Visitor) throws(JSONFlaw) -> Int {
        var at = 0
        self.text.run = 0
        while at < bytes.count {
            switch self.state {
            case .string: try self.string(bytes, &at, offset, &visitor)
            case .escape, .unit: try self.escape(bytes, &at, offset, &visitor)
            case .sequence: try self.sequence(bytes, &at, offset)
            case .number: try self.number(bytes, &at, offset, &visitor)
            case .word: try self.word(bytes, &at, offset, &visitor)
            default: try self.structure(bytes, &at, offset, &visitor)
            }
            if Visitor.pauses, visitor.isPaused { break }
        }
        if self.text.mode != .none { try self.text.flush(bytes, upTo: at, &visitor) }
        return at
    }

    /// - Parameter offset: the document's length.
    mutating func finish<Visitor: JSONVisitor>(at offset: Int64, _ visitor: inout Visitor) throws(JSONFlaw) {
        if self.state == .number, self.depth == 0, self.numeral.isWhole { try self.endText(UnsafeRawBufferPointer(start: nil, count: 0), 0, offset, &visitor) }
        guard self.state == .done else { throw JSONFlaw(message: "the JSON breaks off after \(offset) bytes", offset: offset) }
    }

    static func malformed(_ offset: Int64) -> JSONFlaw { JSONFlaw(message: "the JSON is malformed at byte \(offset)", offset: offset) }
}

// Between values.
extension JSONTokenizer {
    @inline(__always) private mutating func structure<Visitor: JSONVisitor>(
        _ bytes: UnsafeRawBufferPointer, _ at: inout Int, _ offset: Int64, _ visitor: inout Visitor
    ) throws(JSONFlaw) {
        let byte = bytes[at]
        if byte <= 0x20 {
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { throw Self.malformed(offset + Int64(at)) }
            at += 1
            return
        }
        switch self.state {
        case .comma where byte == UInt8(ascii: ","): self.state = self.isInObject ? .key : .value
        case .comma:
            guard byte == (self.isInObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { throw Self.malformed(offset + Int64(at)) }
            try self.close(offset + Int64(at) + 1, &visitor)
        case .colon:
            guard byte == UInt8(ascii: ":") else { throw Self.malformed(offset + Int64(at)) }
            self.state = .value
        case .keyOrEnd where byte == UInt8(ascii: "}"), .valueOrEnd where byte == UInt8(ascii: "]"): try self.close(offset + Int64(at) + 1, &visitor)
        case .key, .keyOrEnd:
            guard byte == UInt8(ascii: "\"") else { throw Self.malformed(offset + Int64(at)) }
            self.text.begin(self.depth <= self.heard ? .text(limit: Self.longestKey) : .nothing, at: at + 1)
            self.text.isKey = true
            self.state = .string
        case .value, .valueOrEnd: try self.begin(byte, at, offset, &visitor)
        default: throw Self.malformed(offset + Int64(at))
        }
        at += 1
    }

    @inline(__always) private mutating func begin<Visitor: JSONVisitor>(_ byte: UInt8, _ at: Int, _ offset: Int64, _ visitor: inout Visitor) throws(JSONFlaw) {
        let place = offset + Int64(at)
        guard let kind = Self.kind(byte) else { throw Self.malformed(place) }
        let interest = self.depth <= self.heard ? try visitor.begin(kind, at: place) : .nothing
        switch kind {
        case .object, .array: try self.open(kind == .object, interest, place)
        case .string:
            self.text.begin(interest, at: at + 1)
            self.state = .string
        case .number:
            self.text.begin(interest, at: at)
            self.numeral = .start.next(byte) ?? .start
            self.state = .number
        case .yes, .no, .null:
            self.text.begin(.nothing, at: at)
            self.word = kind == .yes ? 0x65_7572 : kind == .no ? 0x6573_6C61 : 0x6C_6C75
            self.state = .word
        }
    }

    @inline(__always) private static func kind(_ byte: UInt8) -> JSONKind? {
        switch byte {
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): .number
        case UInt8(ascii: "t"): .yes
        case UInt8(ascii: "f"): .no
        case UInt8(ascii: "n"): .null
        default: nil
        }
    }

    private mutating func open(_ isObject: Bool, _ interest: JSONInterest, _ place: Int64) throws(JSONFlaw) {
        guard self.depth < self.deepest else { throw JSONFlaw(message: "the JSON is deeper than \(self.deepest) levels", offset: place) }
        self.objects[self.depth] = isObject
        self.depth += 1
        self.isInObject = isObject
        if case .members = interest { self.heard = self.depth }
        self.state = isObject ? .keyOrEnd : .valueOrEnd
    }

    private mutating func close<Visitor: JSONVisitor>(_ end: Int64, _ visitor: inout Visitor) throws(JSONFlaw) {
        self.depth -= 1
        if self.heard > self.depth { self.heard = self.depth }
        self.isInObject = self.depth > 0 && self.objects[self.depth - 1]
        self.state = self.depth == 0 ? .done : .comma
        if self.depth <= self.heard { try visitor.end(at: end, text: nil) }
    }

    private mutating func word<Visitor: JSONVisitor>(_ bytes: UnsafeRawBufferPointer, _ at: inout Int, _ offset: Int64, _ visitor: inout Visitor)
        throws(JSONFlaw)
    {
        guard UInt32(bytes[at]) == self.word & 0xFF else { throw Self.malformed(offset + Int64(at)) }
        at += 1
        self.word >>= 8
        if self.word == 0 { try self.endText(bytes, at, offset + Int64(at), &visitor) }
    }
}
