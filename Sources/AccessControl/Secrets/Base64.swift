/// RFC 4648, without padding and without a second way to write the same bytes: who compares or signs texts can rely on it.
enum Base64 {
    enum Alphabet {
        /// Section 4, with `+` and `/`.
        case standard
        /// Section 5, with `-` and `_`.
        case url
    }

    static func text(_ bytes: some Sequence<UInt8>, _ alphabet: Alphabet) -> String {
        var out: [UInt8] = []
        var (bits, count) = (UInt32(0), 0)
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                out.append(Self.character(UInt8(bits >> UInt32(count) & 63), alphabet))
            }
        }
        if count > 0 { out.append(Self.character(UInt8(bits << UInt32(6 - count) & 63), alphabet)) }
        return String(decoding: out, as: UTF8.self)
    }

    /// - Returns: nil for padding, another alphabet's characters, a length that none has, and bits beyond the last byte.
    static func bytes(_ text: some Sequence<UInt8>, _ alphabet: Alphabet) -> [UInt8]? {
        var out: [UInt8] = []
        var (bits, count) = (UInt32(0), 0)
        for character in text {
            guard let value = Self.value(character, alphabet) else { return nil }
            bits = (bits << 6 | UInt32(value)) & 0xFFFF
            count += 6
            if count >= 8 {
                count -= 8
                out.append(UInt8(bits >> UInt32(count) & 0xFF))
            }
        }
        guard count < 6, bits & ((1 << UInt32(count)) - 1) == 0 else { return nil }
        return out
    }

    private static func character(_ value: UInt8, _ alphabet: Alphabet) -> UInt8 {
        switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: alphabet == .url ? UInt8(ascii: "-") : UInt8(ascii: "+")
        default: alphabet == .url ? UInt8(ascii: "_") : UInt8(ascii: "/")
        }
    }

    private static func value(_ character: UInt8, _ alphabet: Alphabet) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "-") where alphabet == .url, UInt8(ascii: "+") where alphabet == .standard: 62
        case UInt8(ascii: "_") where alphabet == .url, UInt8(ascii: "/") where alphabet == .standard: 63
        default: nil
        }
    }
}
