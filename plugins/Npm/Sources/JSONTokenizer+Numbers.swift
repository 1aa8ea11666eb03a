extension JSONTokenizer {
    /// How far a number has been read: `-? (0 | [1-9][0-9]*) (.[0-9]+)? ([eE][+-]?[0-9]+)?`
    enum Numeral: Sendable {
        case start, minus, zero, whole, point, fraction, exponent, sign, power

        var isWhole: Bool {
            switch self {
            case .zero, .whole, .fraction, .power: true
            case .start, .minus, .point, .exponent, .sign: false
            }
        }

        /// nil: the byte is none of the number's.
        @inline(__always)
        func next(_ byte: UInt8) -> Numeral? {
            switch (self, byte) {
            case (.start, UInt8(ascii: "-")): .minus
            case (.start, UInt8(ascii: "0")), (.minus, UInt8(ascii: "0")): .zero
            case (.start, UInt8(ascii: "1")...UInt8(ascii: "9")),
                (.minus, UInt8(ascii: "1")...UInt8(ascii: "9")):
                .whole
            case (.whole, UInt8(ascii: "0")...UInt8(ascii: "9")): .whole
            case (.zero, UInt8(ascii: ".")), (.whole, UInt8(ascii: ".")): .point
            case (.point, UInt8(ascii: "0")...UInt8(ascii: "9")),
                (.fraction, UInt8(ascii: "0")...UInt8(ascii: "9")):
                .fraction
            case (.zero, UInt8(ascii: "e")), (.whole, UInt8(ascii: "e")), (.fraction, UInt8(ascii: "e")):
                .exponent
            case (.zero, UInt8(ascii: "E")), (.whole, UInt8(ascii: "E")), (.fraction, UInt8(ascii: "E")):
                .exponent
            case (.exponent, UInt8(ascii: "+")), (.exponent, UInt8(ascii: "-")): .sign
            case (.exponent, UInt8(ascii: "0")...UInt8(ascii: "9")),
                (.sign, UInt8(ascii: "0")...UInt8(ascii: "9")):
                .power
            case (.power, UInt8(ascii: "0")...UInt8(ascii: "9")): .power
            default: nil
            }
        }
    }

    @inline(__always)
    mutating func number<Visitor: JSONVisitor>(
        _ bytes: UnsafeRawBufferPointer, _ at: inout Int, _ offset: Int64, _ visitor: inout Visitor
    ) throws(JSONFlaw) {
        while at < bytes.count, let next = self.numeral.next(bytes[at]) {
            self.numeral = next
            at += 1
        }
        guard at < bytes.count else { return }
        guard self.numeral.isWhole else { throw Self.malformed(offset + Int64(at)) }
        try self.endText(bytes, at, offset + Int64(at), &visitor)
    }
}
