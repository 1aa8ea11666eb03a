extension [UInt8] {
    /// A text's bytes, in one move where they lie together.
    mutating func append(_ text: StaticString) { text.withUTF8Buffer { self.append(contentsOf: $0) } }

    mutating func append(decimal number: Int64) {
        guard number >= 10 || number < 0 else { return self.append(UInt8(ascii: "0") + UInt8(number)) }
        if number < 0 { self.append(UInt8(ascii: "-")) }
        let start = self.count
        var rest = number.magnitude
        repeat {
            self.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        self[start...].reverse()
    }

    /// The inside of a JSON string. A text of more than `most` bytes is cut there, and ends with an ellipsis.
    mutating func append(escaped text: String, most: Int) {
        var text = text
        text.withUTF8 { whole in
            guard whole.count > most else { return self.append(escaped: whole) }
            var end = most
            // Never within a character: RFC 3629, 3.
            while end > 0, whole[end] & 0xC0 == 0x80 { end -= 1 }
            self.append(escaped: UnsafeBufferPointer(rebasing: whole[..<end]))
            self.append("…" as StaticString)
        }
    }

    private mutating func append(escaped text: UnsafeBufferPointer<UInt8>) {
        // Without a branch for each byte, so that many are looked at together.
        var odd: UInt8 = 0
        for byte in text { odd |= Self.mustEscape(byte) ? 1 : 0 }
        guard odd != 0 else { return self.append(contentsOf: text) }
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                self.append(UInt8(ascii: "\\"))
                self.append(byte)
            case UInt8(ascii: "\n"): self.append("\\n" as StaticString)
            case 0..<0x20:
                self.append("\\u00" as StaticString)
                self.append(UInt8(ascii: "0") + byte >> 4)
                self.append(byte & 15 < 10 ? UInt8(ascii: "0") + byte & 15 : UInt8(ascii: "a") + byte & 15 - 10)
            default: self.append(byte)
            }
        }
    }

    @inline(__always) private static func mustEscape(_ byte: UInt8) -> Bool { byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") }
}
