public import ArtifactModel
public import Logging

/// Writes each message as a JSON object on a line of its own: `time`, `level`, `logger`, `message`, then the metadata by their names.
public struct JSONLineLogHandler: LogHandler {
    public var logLevel: Logger.Level = .info
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let lines: LineWriter
    private let now: WallClock

    public init(label: String, lines: LineWriter, now: @escaping WallClock) {
        self.label = label
        self.lines = lines
        self.now = now
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var line = JSONLine()
        line.add("time", UTCTime.text(self.now()))
        line.add("level", event.level.rawValue)
        line.add("logger", self.label)
        line.add("message", event.message.description)
        var all = event.metadata ?? [:]
        // What is nearer to the message wins.
        if let provided = self.metadataProvider?.get() { all.merge(provided) { given, _ in given } }
        if !self.metadata.isEmpty { all.merge(self.metadata) { given, _ in given } }
        for (name, value) in all.sorted(by: { $0.key < $1.key }) { line.add(name, value) }
        if let error = event.error { line.add("error", "\(error)") }
        self.lines.write(line.finished(), urgent: event.level >= .critical)
    }
}

/// A JSON object, written member by member.
struct JSONLine {
    private var bytes: [UInt8]

    init() {
        self.bytes = [UInt8(ascii: "{")]
        self.bytes.reserveCapacity(512)
    }

    mutating func add(_ name: String, _ value: String) {
        self.name(name)
        self.string(value)
    }

    mutating func add(_ name: String, _ value: Logger.Metadata.Value) {
        self.name(name)
        self.value(value)
    }

    func finished() -> [UInt8] { self.bytes + Array("}\n".utf8) }

    private mutating func name(_ name: String) {
        if self.bytes.count > 1 { self.bytes.append(UInt8(ascii: ",")) }
        self.string(name)
        self.bytes.append(UInt8(ascii: ":"))
    }

    private mutating func value(_ value: Logger.Metadata.Value) {
        switch value {
        case .string(let text): self.string(text)
        case .stringConvertible(let value):
            // Numbers stay numbers; everything else is a text.
            switch value {
            case let number as Int: self.bytes += "\(number)".utf8
            case let number as Int64: self.bytes += "\(number)".utf8
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
            for (name, value) in members.sorted(by: { $0.key < $1.key }) { inner.add(name, value) }
            self.bytes += inner.bytes + [UInt8(ascii: "}")]
        }
    }

    private mutating func string(_ text: String) {
        self.bytes.append(UInt8(ascii: "\""))
        if text.utf8.allSatisfy(Self.isPlain) { self.bytes += text.utf8 } else { self.escaped(text) }
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
        let milliseconds = ((moment.milliseconds % 1000) + 1000) % 1000
        let time = HTTPDate.fields(seconds: (moment.milliseconds - milliseconds) / 1000)
        func padded(_ number: Int64, _ digits: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        return "\(padded(time.year, 4))-\(padded(time.month, 2))-\(padded(time.day, 2))T"
            + "\(padded(time.hour, 2)):\(padded(time.minute, 2)):\(padded(time.second, 2)).\(padded(milliseconds, 3))Z"
    }
}
