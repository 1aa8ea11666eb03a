/// Writes JSON that is YAML as well, whoever reads it: one line for each value, and every character that YAML does not print as an escape.
struct JSONText {
    private(set) var bytes: [UInt8] = []

    mutating func raw(_ text: StaticString) { text.withUTF8Buffer { self.bytes.append(contentsOf: $0) } }

    mutating func string(_ text: String) {
        self.bytes.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars { self.add(scalar) }
        self.bytes.append(UInt8(ascii: "\""))
    }

    /// A comma where something stands before it in the object.
    mutating func key(_ key: String) {
        if self.bytes.last != UInt8(ascii: "{"), self.bytes.last != UInt8(ascii: "[") { self.bytes.append(UInt8(ascii: ",")) }
        self.string(key)
        self.bytes.append(UInt8(ascii: ":"))
    }

    mutating func member(_ key: String, _ value: String) {
        self.key(key)
        self.string(value)
    }

    mutating func list(_ key: String, _ items: [String]) {
        self.key(key)
        self.bytes.append(UInt8(ascii: "["))
        for (index, item) in items.enumerated() {
            if index > 0 { self.bytes.append(UInt8(ascii: ",")) }
            self.string(item)
        }
        self.bytes.append(UInt8(ascii: "]"))
    }

    private mutating func add(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": self.raw("\\\"")
        case "\\": self.raw("\\\\")
        case "\n": self.raw("\\n")
        case "\r": self.raw("\\r")
        case "\t": self.raw("\\t")
        // YAML 1.1, 5.1: what is printable, without line breaks of Unicode's own and the mark of byte order.
        case "\u{20}"..."\u{7E}": self.bytes.append(UInt8(scalar.value))
        case "\u{A0}"..."\u{2027}", "\u{202A}"..."\u{D7FF}", "\u{E000}"..."\u{FEFE}", "\u{FF00}"..."\u{FFFD}", "\u{10000}"...:
            self.bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: self.escape(scalar.value)
        }
    }

    private mutating func escape(_ value: UInt32) {
        self.raw("\\u")
        for shift in [12, 8, 4, 0] as [UInt32] {
            let digit = UInt8(value >> shift & 0xF)
            self.bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}

extension JSONText {
    /// An address within quotes that are there: what would need an escape is percent-encoded.
    mutating func plain(_ url: String) {
        for byte in url.utf8 {
            if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                self.bytes.append(byte)
            } else {
                self.bytes.append(UInt8(ascii: "%"))
                for digit in [byte >> 4, byte & 0xF] { self.bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10) }
            }
        }
    }
}
