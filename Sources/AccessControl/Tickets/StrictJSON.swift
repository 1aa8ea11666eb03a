/// JSON as this server writes it, and nothing looser: no fractions, no name twice in an object, no lone surrogates, at most eight levels.
/// RFC 8259.
indirect enum StrictJSON: Hashable, Sendable {
    case object([String: StrictJSON])
    case array([StrictJSON])
    case string(String)
    case integer(Int64)
    case bool(Bool)
    case null

    /// - Returns: nil: it is something else.
    init?(_ bytes: [UInt8]) {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var reader = Reader(bytes: bytes)
        guard let value = reader.value(depth: 0), reader.isAtEnd else { return nil }
        self = value
    }

    /// A text with its quotes.
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\u{0}"..<" ": out += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

private struct Reader {
    let bytes: [UInt8]
    private var at = 0
    private static let deepest = 8

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool {
        mutating get {
            self.skipBlanks()
            return self.at == self.bytes.count
        }
    }

    private var next: UInt8? { self.at < self.bytes.count ? self.bytes[self.at] : nil }

    private mutating func skipBlanks() {
        while let byte = self.next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { self.at += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        self.skipBlanks()
        guard self.next == UInt8(ascii: character) else { return false }
        self.at += 1
        return true
    }

    private mutating func take(_ word: String) -> Bool {
        guard self.bytes[self.at...].starts(with: word.utf8) else { return false }
        self.at += word.utf8.count
        return true
    }

    mutating func value(depth: Int) -> StrictJSON? {
        self.skipBlanks()
        guard depth < Self.deepest, let byte = self.next else { return nil }
        switch byte {
        case UInt8(ascii: "{"): return self.object(depth)
        case UInt8(ascii: "["): return self.array(depth)
        case UInt8(ascii: "\""): return self.string().map { .string($0) }
        case UInt8(ascii: "t"): return self.take("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): return self.take("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): return self.take("null") ? .null : nil
        default: return self.integer().map { .integer($0) }
        }
    }

    private mutating func object(_ depth: Int) -> StrictJSON? {
        var members: [String: StrictJSON] = [:]
        guard self.take("{" as Unicode.Scalar) else { return nil }
        if self.take("}" as Unicode.Scalar) { return .object([:]) }
        repeat {
            self.skipBlanks()
            guard let name = self.string(), self.take(":" as Unicode.Scalar), let value = self.value(depth: depth + 1) else { return nil }
            guard members.updateValue(value, forKey: name) == nil else { return nil }
        } while self.take("," as Unicode.Scalar)
        return self.take("}" as Unicode.Scalar) ? .object(members) : nil
    }

    private mutating func array(_ depth: Int) -> StrictJSON? {
        var members: [StrictJSON] = []
        guard self.take("[" as Unicode.Scalar) else { return nil }
        if self.take("]" as Unicode.Scalar) { return .array([]) }
        repeat {
            guard let value = self.value(depth: depth + 1) else { return nil }
            members.append(value)
        } while self.take("," as Unicode.Scalar)
        return self.take("]" as Unicode.Scalar) ? .array(members) : nil
    }

    /// Without leading zeros, fraction and exponent.
    private mutating func integer() -> Int64? {
        let start = self.at
        if self.next == UInt8(ascii: "-") { self.at += 1 }
        let digits = self.at
        while let byte = self.next, (0x30...0x39).contains(byte) { self.at += 1 }
        guard self.at > digits, self.at == digits + 1 || self.bytes[digits] != 0x30 else { return nil }
        if let byte = self.next, byte == UInt8(ascii: ".") || byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") { return nil }
        return Int64(String(decoding: self.bytes[start..<self.at], as: UTF8.self))
    }

    private mutating func string() -> String? {
        guard self.next == UInt8(ascii: "\"") else { return nil }
        self.at += 1
        var out: [UInt8] = []
        while let byte = self.next {
            self.at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: out, as: UTF8.self)
            case 0..<0x20: return nil
            case UInt8(ascii: "\\"):
                guard let scalar = self.escape() else { return nil }
                out += Array(String(scalar).utf8)
            default: out.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard let byte = self.next else { return nil }
        self.at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            guard let unit = self.codeUnit() else { return nil }
            guard (0xD800..<0xDC00).contains(unit) else { return Unicode.Scalar(unit) }
            guard self.take("\\u"), let low = self.codeUnit(), (0xDC00..<0xE000).contains(low) else { return nil }
            return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
        default: return nil
        }
    }

    private mutating func codeUnit() -> UInt32? {
        guard self.at + 4 <= self.bytes.count else { return nil }
        let digits = self.bytes[self.at..<self.at + 4]
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        self.at += 4
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
