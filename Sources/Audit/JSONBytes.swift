extension [UInt8] {
    /// A text's bytes, in one move where they lie together.
    mutating func append(_ text: StaticString) { text.withUTF8Buffer { self.append(contentsOf: $0) } }

    mutating func append(decimal number: Int64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = digits.count
            var rest = number.magnitude
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if number < 0 {
                start -= 1
                digits[start] = UInt8(ascii: "-")
            }
            self.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
        }
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
        guard Self.mustEscape(text) else { return self.append(contentsOf: text) }
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

    /// Eight bytes at a time: this is most of what a line costs beside its hash.
    private static func mustEscape(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let raw = UnsafeRawBufferPointer(text)
        var (at, found) = (0, UInt64(0))
        while at + 8 <= raw.count {
            found |= Self.odd(in: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            at += 8
        }
        while at < raw.count {
            found |= Self.odd(in: 0x2020_2020_2020_2000 | UInt64(raw[at]))
            at += 1
        }
        return found != 0
    }

    /// Not 0 where a byte of the word is below a space, a quotation mark or a backslash. What a borrow of subtraction adds can only be found
    /// beside a byte that is one, so the answer for the word is exact.
    @inline(__always) private static func odd(in word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let (quotes, backslashes) = (word ^ (0x22 * ones), word ^ (0x5C * ones))
        return ((word &- 0x20 * ones) & ~word | (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes) & (0x80 * ones)
    }
}
