public import NIOCore

/// The fields of an HTML form, `application/x-www-form-urlencoded`, in order; names may repeat. WHATWG URL, section 5.1.
public struct FormFields: Sendable {
    /// In bytes: no form of ours is longer.
    public static let longest = 64 << 10

    private let pairs: [(name: String, value: String)]

    /// nil: bad escapes, or no UTF-8.
    public init?(_ bytes: ByteBuffer) {
        var pairs: [(name: String, value: String)] = []
        for pair in bytes.readableBytesView.split(separator: UInt8(ascii: "&")) {
            let sides = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(sides[0]), let value = sides.count == 2 ? Self.decoded(sides[1]) : "" else { return nil }
            pairs.append((name, value))
        }
        self.pairs = pairs
    }

    /// The first of that name.
    public subscript(name: String) -> String? { self.pairs.first { $0.name == name }?.value }
    public func all(_ name: String) -> [String] { self.pairs.filter { $0.name == name }.map(\.value) }

    private static func decoded(_ bytes: some Collection<UInt8>) -> String? {
        var out: [UInt8] = []
        var rest = bytes.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "+"): out.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(Self.nibble), let low = rest.next().flatMap(Self.nibble) else { return nil }
                out.append(high << 4 | low)
            default: out.append(byte)
            }
        }
        return String(validating: out, as: UTF8.self)
    }

    private static func nibble(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
