extension JSONTokenizer {
    @inline(__always) mutating func string<Visitor: JSONVisitor>(_ bytes: UnsafeRawBufferPointer, _ at: inout Int, _ offset: Int64, _ visitor: inout Visitor)
        throws(JSONFlaw)
    {
        if self.text.half != 0, bytes[at] != UInt8(ascii: "\\") { try self.loseHalf(&visitor) }
        if self.text.mode == .none { self.walk(bytes, &at) }
        at = Self.plain(bytes, from: at)
        guard at < bytes.count else { return }
        let byte = bytes[at]
        switch byte {
        case UInt8(ascii: "\""):
            at += 1
            try self.endText(bytes, at - 1, offset + Int64(at), &visitor)
        case UInt8(ascii: "\\"):
            if self.text.mode != .none { try self.text.flush(bytes, upTo: at, &visitor) }
            at += 1
            self.text.run = at
            self.state = .escape
        case 0x80...:
            try self.lead(byte, offset + Int64(at))
            at += 1
        default: throw Self.malformed(offset + Int64(at))
        }
    }

    /// Strings that nobody hears of, one behind the other: `a":"b","c":"d`. Most of a packument is that. Ends where it is anything else.
    @inline(__always) private mutating func walk(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) {
        let (isQuiet, isInObject) = (self.depth > self.heard, self.isInObject)
        var isKey = self.text.isKey
        while true {
            at = Self.plain(bytes, from: at)
            guard at &+ 3 <= bytes.count else { break }
            // Two bytes at once, the first one lowest: what lies between two strings is `":"` or `","`.
            let pair = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self))
            if isQuiet, pair == (isKey ? 0x3A22 : 0x2C22), bytes[at &+ 2] == UInt8(ascii: "\"") {
                isKey = !isKey && isInObject
                at &+= 3
            } else {
                guard pair & 0xFF == UInt16(UInt8(ascii: "\\")), Self.meaning(UInt8(pair >> 8)) != nil else { break }
                at &+= 2
            }
        }
        self.text.isKey = isKey
    }

    /// Where the first byte is that is no plain ASCII character: a quote, a backslash, a control character or a byte of a longer one.
    @inline(__always) private static func plain(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var at = start
        while at &+ 8 <= bytes.count {
            let found = Self.stops(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
            if found != 0 { return at &+ found.trailingZeroBitCount / 8 }
            at &+= 8
        }
        while at < bytes.count {
            let byte = bytes[at]
            if byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return at }
            at &+= 1
        }
        return at
    }

    /// The highest bit of each byte that stops a plain run, of the lowest such byte at least: a subtraction borrows only from bytes above it.
    @inline(__always) private static func stops(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        return ((word &- (ones &* 0x20)) | (quote &- ones) | (backslash &- ones) | word) & (ones &* 0x80)
    }

    // MARK: Characters of several bytes. RFC 3629, 4

    @inline(__always) private mutating func lead(_ byte: UInt8, _ place: Int64) throws(JSONFlaw) {
        self.text.next = 0x80...0xBF
        switch byte {
        case 0xC2...0xDF: self.text.rest = 1
        case 0xE0: (self.text.rest, self.text.next) = (2, 0xA0...0xBF)
        case 0xED: (self.text.rest, self.text.next) = (2, 0x80...0x9F)
        case 0xE1...0xEF: self.text.rest = 2
        case 0xF0: (self.text.rest, self.text.next) = (3, 0x90...0xBF)
        case 0xF4: (self.text.rest, self.text.next) = (3, 0x80...0x8F)
        case 0xF1...0xF3: self.text.rest = 3
        default: throw JSONFlaw(message: "the JSON is not UTF-8 at byte \(place)", offset: place)
        }
        self.state = .sequence
    }

    @inline(__always) mutating func sequence(_ bytes: UnsafeRawBufferPointer, _ at: inout Int, _ offset: Int64) throws(JSONFlaw) {
        while at < bytes.count {
            guard self.text.next.contains(bytes[at]) else {
                throw JSONFlaw(message: "the JSON is not UTF-8 at byte \(offset + Int64(at))", offset: offset + Int64(at))
            }
            at += 1
            self.text.rest -= 1
            self.text.next = 0x80...0xBF
            guard self.text.rest > 0 else {
                // Most often another one follows.
                guard at < bytes.count, bytes[at] >= 0x80 else {
                    self.state = .string
                    return
                }
                try self.lead(bytes[at], offset + Int64(at))
                at += 1
                continue
            }
        }
    }

    // MARK: Escapes

    mutating func escape<Visitor: JSONVisitor>(_ bytes: UnsafeRawBufferPointer, _ at: inout Int, _ offset: Int64, _ visitor: inout Visitor) throws(JSONFlaw) {
        let (byte, place) = (bytes[at], offset + Int64(at))
        at += 1
        self.text.run = at
        if self.state == .unit { return try self.digit(byte, place, &visitor) }
        if byte == UInt8(ascii: "u") {
            (self.text.unit, self.text.digits) = (0, 4)
            self.state = .unit
            return
        }
        guard let meant = Self.meaning(byte) else { throw Self.malformed(place) }
        self.state = .string
        guard self.text.mode != .none else { return }
        if self.text.half != 0 { try self.loseHalf(&visitor) }
        try self.add(Unicode.Scalar(meant), &visitor)
    }

    @inline(__always) private static func meaning(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): byte
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: nil
        }
    }

    private mutating func digit<Visitor: JSONVisitor>(_ byte: UInt8, _ place: Int64, _ visitor: inout Visitor) throws(JSONFlaw) {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self.text.unit = self.text.unit << 4 | UInt32(byte - 48)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self.text.unit = self.text.unit << 4 | UInt32(byte - 55)
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self.text.unit = self.text.unit << 4 | UInt32(byte - 87)
        default: throw Self.malformed(place)
        }
        self.text.digits -= 1
        guard self.text.digits == 0 else { return }
        self.state = .string
        if self.text.mode != .none { try self.endUnit(&visitor) }
    }

    private mutating func endUnit<Visitor: JSONVisitor>(_ visitor: inout Visitor) throws(JSONFlaw) {
        let (unit, half) = (self.text.unit, self.text.half)
        if half != 0, (0xDC00..<0xE000).contains(unit) {
            self.text.half = 0
            return try self.add(Unicode.Scalar(0x10000 + (half - 0xD800) << 10 + (unit - 0xDC00)) ?? "\u{FFFD}", &visitor)
        }
        if half != 0 { try self.loseHalf(&visitor) }
        if (0xD800..<0xDC00).contains(unit) {
            self.text.half = unit
            return
        }
        try self.add(Unicode.Scalar(unit) ?? "\u{FFFD}", &visitor)
    }

    /// The second half did not come.
    private mutating func loseHalf<Visitor: JSONVisitor>(_ visitor: inout Visitor) throws(JSONFlaw) {
        self.text.half = 0
        try self.add("\u{FFFD}", &visitor)
    }

    private mutating func add<Visitor: JSONVisitor>(_ scalar: Unicode.Scalar, _ visitor: inout Visitor) throws(JSONFlaw) {
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
            try withUnsafeBytes(of: byte) { (bytes) throws(JSONFlaw) in try self.text.add(bytes, &visitor) }
        }
    }
}
