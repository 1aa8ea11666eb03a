import NIOCore

/// Base64 that comes in pieces. RFC 4648, 4: the usual alphabet, with padding, nothing between, and no bits left over, so that bytes have one text.
struct Base64Decoder: Sendable {
    struct Flaw: Error {}

    /// What each character stands for; above 63: none.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated() {
            values[Int(character)] = UInt8(value)
        }
        return values
    }()

    /// Of a group of four that is not whole: its bits, and how many characters there are, padding among them.
    private var bits: UInt32 = 0
    private var count = 0
    private var padding = 0

    mutating func decode(_ text: UnsafeRawBufferPointer, into out: inout ByteBuffer) throws(Flaw) {
        var at = 0
        while at < text.count, self.count > 0 || self.padding > 0 {
            try self.take(text[at], into: &out)
            at += 1
        }
        at += Self.decodeGroups(UnsafeRawBufferPointer(rebasing: text[at...]), into: &out)
        while at < text.count {
            try self.take(text[at], into: &out)
            at += 1
        }
    }

    func finish() throws(Flaw) {
        guard self.count == 0 else { throw Flaw() }
    }

    /// Whole groups, up to the first that is anything else.
    /// - Returns: how many characters were taken.
    private static func decodeGroups(_ text: UnsafeRawBufferPointer, into out: inout ByteBuffer) -> Int {
        let groups = text.count / 4
        var done = 0
        out.writeWithUnsafeMutableBytes(minimumWritableBytes: groups * 3) { room in
            Self.values.withUnsafeBufferPointer { values in
                while done < groups {
                    let at = done &* 4
                    let (a, b) = (values[Int(text[at])], values[Int(text[at &+ 1])])
                    let (c, d) = (values[Int(text[at &+ 2])], values[Int(text[at &+ 3])])
                    guard a | b | c | d < 64 else { break }
                    let to = done &* 3
                    room[to] = a << 2 | b >> 4
                    room[to &+ 1] = b << 4 | c >> 2
                    room[to &+ 2] = c << 6 | d
                    done &+= 1
                }
            }
            return done * 3
        }
        return done * 4
    }

    private mutating func take(_ character: UInt8, into out: inout ByteBuffer) throws(Flaw) {
        if character == UInt8(ascii: "=") {
            guard self.count >= 2 else { throw Flaw() }
            self.padding += 1
            self.bits <<= 6
        } else {
            let value = Self.values[Int(character)]
            guard value < 64, self.padding == 0 else { throw Flaw() }
            self.bits = self.bits << 6 | UInt32(value)
        }
        self.count += 1
        guard self.count == 4 else { return }
        let rest = self.bits & (1 << UInt32(self.padding * 8) - 1)
        guard rest == 0 else { throw Flaw() }
        for place in 0..<(3 - self.padding) { out.writeInteger(UInt8(truncatingIfNeeded: self.bits >> UInt32(16 - place * 8))) }
        (self.bits, self.count) = (0, 0)
    }
}
