import ArtifactModel

/// `2026-11-27T19:43:20.123Z`, RFC 3339. Remembers the second that it wrote last: of many lines only the milliseconds differ.
struct UTCText: Sendable {
    private var second = Int64.min
    /// `2026-11-27T19:43:20.`
    private var head: [UInt8] = []

    static func text(_ moment: Timestamp) -> String {
        var bytes: [UInt8] = []
        var text = Self()
        text.append(moment, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    mutating func append(_ moment: Timestamp, to bytes: inout [UInt8]) {
        let (quotient, remainder) = moment.milliseconds.quotientAndRemainder(dividingBy: 1000)
        let (second, millisecond) = remainder < 0 ? (quotient - 1, remainder + 1000) : (quotient, remainder)
        if second != self.second {
            self.second = second
            self.head = Self.head(of: second)
        }
        bytes += self.head
        Self.padded(millisecond, 3, to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    private static func head(of second: Int64) -> [UInt8] {
        let time = HTTPDate.fields(seconds: second)
        var bytes: [UInt8] = []
        // Years that four digits do not hold are no years of a trail; a clock that shows one must not end it.
        Self.padded(min(max(0, time.year), 9999), 4, to: &bytes)
        for (separator, value) in [("-", time.month), ("-", time.day), ("T", time.hour), (":", time.minute), (":", time.second)] {
            bytes += separator.utf8
            Self.padded(value, 2, to: &bytes)
        }
        return bytes + ".".utf8
    }

    private static func padded(_ number: Int64, _ digits: Int, to bytes: inout [UInt8]) {
        var factor: Int64 = digits == 4 ? 1000 : digits == 3 ? 100 : 10
        while factor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number / factor % 10))
            factor /= 10
        }
    }
}
