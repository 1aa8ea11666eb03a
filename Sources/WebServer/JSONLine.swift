import ArtifactModel
import Logging

/// A JSON object on a line of its own, written member by member into one array. Names that are written here are plain.
struct JSONLine {
    private var bytes: [UInt8]

    init() {
        self.bytes = []
        self.bytes.reserveCapacity(512)
        self.bytes.append(UInt8(ascii: "{"))
    }

    /// Some members of an object that is written elsewhere.
    static var members: JSONLine {
        var line = JSONLine()
        line.bytes.removeAll()
        return line
    }

    /// So far.
    var written: [UInt8] { self.bytes }

    /// Members that were written before, with what may follow the last.
    mutating func add(members: [UInt8]) {
        self.bytes.append(UInt8(ascii: ","))
        self.bytes.append(contentsOf: members)
    }

    mutating func add(_ name: StaticString, _ value: String) {
        self.name(name)
        self.string(value)
    }

    mutating func add(_ name: StaticString, _ number: Int64) {
        self.name(name)
        self.number(number)
    }

    /// As a number with one or two places, as Swift writes a `Double` of this size.
    mutating func add(_ name: StaticString, hundredths: Int64) {
        self.name(name)
        self.number(hundredths / 100)
        let places = UInt8(hundredths % 100)
        self.bytes.append(UInt8(ascii: "."))
        self.bytes.append(UInt8(ascii: "0") + places / 10)
        if places % 10 > 0 { self.bytes.append(UInt8(ascii: "0") + places % 10) }
    }

    mutating func add(_ name: StaticString, _ moment: Timestamp) {
        self.name(name)
        self.bytes.append(UInt8(ascii: "\""))
        UTCTime.write(moment, to: &self.bytes)
        self.bytes.append(UInt8(ascii: "\""))
    }

    mutating func add(metadata name: String, _ value: Logger.Metadata.Value) {
        self.name(name)
        self.value(value)
    }

    consuming func finished() -> [UInt8] {
        self.bytes.append(UInt8(ascii: "}"))
        self.bytes.append(UInt8(ascii: "\n"))
        return self.bytes
    }

    private mutating func name(_ name: String) {
        if self.bytes.count > 1 { self.bytes.append(UInt8(ascii: ",")) }
        self.string(name)
        self.bytes.append(UInt8(ascii: ":"))
    }

    private mutating func name(_ name: StaticString) {
        if self.bytes.count > 1 { self.bytes.append(UInt8(ascii: ",")) }
        self.bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { self.bytes.append(contentsOf: $0) }
        self.bytes.append(UInt8(ascii: "\""))
        self.bytes.append(UInt8(ascii: ":"))
    }

    private mutating func value(_ value: Logger.Metadata.Value) {
        switch value {
        case .string(let text): self.string(text)
        case .stringConvertible(let value):
            // Numbers stay numbers; everything else is a text.
            switch value {
            case let number as Int: self.number(Int64(number))
            case let number as Int64: self.number(number)
            case let number as Double where number.isFinite: self.bytes += "\(number)".utf8
            case let flag as Bool: self.bytes += "\(flag)".utf8
            default: self.string(value.description)
            }
        case .array(let values):
            self.bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { self.bytes.append(UInt8(ascii: ",")) }
                self.value(value)
            }
            self.bytes.append(UInt8(ascii: "]"))
        case .dictionary(let members):
            var inner = JSONLine()
            for (name, value) in members.sorted(by: { $0.key < $1.key }) { inner.add(metadata: name, value) }
            self.bytes += inner.bytes
            self.bytes.append(UInt8(ascii: "}"))
        }
    }

    private mutating func number(_ number: Int64) {
        if number < 0 { self.bytes.append(UInt8(ascii: "-")) }
        self.bytes.append(digits: number.magnitude)
    }

    private mutating func string(_ text: String) {
        self.bytes.append(UInt8(ascii: "\""))
        var text = text
        let isPlain = text.withUTF8 { utf8 in
            guard utf8.allSatisfy(Self.isPlain) else { return false }
            self.bytes.append(contentsOf: utf8)
            return true
        }
        if !isPlain { self.escaped(text) }
        self.bytes.append(UInt8(ascii: "\""))
    }

    private static func isPlain(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") }

    private mutating func escaped(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): self.bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): self.bytes += "\\n".utf8
            case 0..<0x20: self.bytes += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
            default: self.bytes.append(byte)
            }
        }
    }
}

/// `2026-11-23T19:43:20.123Z`. RFC 3339.
enum UTCTime {
    static func text(_ moment: Timestamp) -> String {
        var bytes: [UInt8] = []
        self.write(moment, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    static func write(_ moment: Timestamp, to bytes: inout [UInt8]) {
        let milliseconds = ((moment.milliseconds % 1000) + 1000) % 1000
        let time = HTTPDate.fields(seconds: (moment.milliseconds - milliseconds) / 1000)
        bytes.append(digits: time.year.magnitude, width: 4)
        bytes.append("-", two: time.month)
        bytes.append("-", two: time.day)
        bytes.append("T", two: time.hour)
        bytes.append(":", two: time.minute)
        bytes.append(":", two: time.second)
        bytes.append(UInt8(ascii: "."))
        bytes.append(digits: milliseconds.magnitude, width: 3)
        bytes.append(UInt8(ascii: "Z"))
    }
}

extension [UInt8] {
    /// A mark, and a number of two digits.
    fileprivate mutating func append(_ mark: Unicode.Scalar, two number: Int64) {
        self.append(UInt8(ascii: mark))
        self.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10))
        self.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
    }

    /// A number in decimal, with zeros in front up to `width` digits.
    fileprivate mutating func append(digits number: UInt64, width: Int = 1) {
        var digits = Swift.max(1, width)
        var bound: UInt64 = 10
        for _ in 1..<digits { bound *= 10 }
        // A bound beyond the largest number would overflow.
        while digits < 20, number >= bound {
            digits += 1
            bound = digits < 20 ? bound * 10 : bound
        }
        let start = self.count
        self.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: digits))
        var rest = number
        for index in stride(from: start + digits - 1, through: start, by: -1) {
            self[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}
