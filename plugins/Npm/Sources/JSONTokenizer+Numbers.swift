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
        @inline(__always) func next(_ byte: UInt8) -> Numeral? {
            if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                return switch self {
                case .start, .minus: byte == UInt8(ascii: "0") ? .zero : .whole
                case .whole: .whole
                case .point, .fraction: .fraction
                case .exponent, .sign, .power: .power
                case .zero: nil
                }
            }
            return switch byte {
            case UInt8(ascii: "."): self == .zero || self == .whole ? .point : nil
            case UInt8(ascii: "e"), UInt8(ascii: "E"): self == .zero || self == .whole || self == .fraction ? .exponent : nil
            case UInt8(ascii: "-"): self == .start ? .minus : self == .exponent ? .sign : nil
            case UInt8(ascii: "+"): self == .exponent ? .sign : nil
            default: nil
            }
        }
    }

    @inline(__always) mutating func number<Visitor: JSONVisitor>(_ bytes: UnsafeRawBufferPointer, _ at: inout Int, _ offset: Int64, _ visitor: inout Visitor)
        throws(JSONFlaw)
    {
        while at < bytes.count, let next = self.numeral.next(bytes[at]) {
            self.numeral = next
            at += 1
        }
        guard at < bytes.count else { return }
        guard self.numeral.isWhole else { throw Self.malformed(offset + Int64(at)) }
        try self.endText(bytes, at, offset + Int64(at), &visitor)
    }
}
