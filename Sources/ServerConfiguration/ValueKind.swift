import AccessControl
import ArtifactModel

/// How one sort of scalar is read and shown again.
struct ValueKind<Value> {
    /// The text is interpolated already. What it throws says, for people, what is allowed.
    var parse: (ConfigurationNode.Scalar) throws(InvalidName) -> Value
    var show: (Value) -> Shown
    var isSecret = false

    init(isSecret: Bool = false, parse: @escaping (ConfigurationNode.Scalar) throws(InvalidName) -> Value, show: @escaping (Value) -> Shown) {
        self.isSecret = isSecret
        self.parse = parse
        self.show = show
    }
}

extension ValueKind where Value == String {
    static var text: Self { Self(parse: { scalar throws(InvalidName) in scalar.text }, show: { .text($0) }) }
    static var secret: Self { Self(isSecret: true, parse: { scalar throws(InvalidName) in scalar.text }, show: { _ in Shown.secret }) }

    /// Checked by `check`, kept as it is.
    static func text(_ check: @escaping (String) throws(InvalidName) -> Void) -> Self {
        Self(
            parse: { scalar throws(InvalidName) in
                try check(scalar.text)
                return scalar.text
            }, show: { .text($0) })
    }

    static var nonEmpty: Self {
        .text { text throws(InvalidName) in
            guard !text.isEmpty else { throw InvalidName(kind: "text", text: text, rule: "at least one character") }
        }
    }

    /// An absolute path, made from what is written.
    static func path(_ resolve: @escaping (String) -> String) -> Self {
        Self(
            parse: { scalar throws(InvalidName) in
                guard !scalar.text.isEmpty, !scalar.text.utf8.contains(0) else { throw InvalidName(kind: "path", text: scalar.text, rule: "a path") }
                return resolve(scalar.text)
            }, show: { .text($0) })
    }
}

extension ValueKind where Value == Bool {
    static var bool: Self {
        Self(
            parse: { scalar throws(InvalidName) in
                guard scalar.isPlain || scalar.text != scalar.written else {
                    throw InvalidName(kind: "boolean", text: scalar.text, rule: "true or false, without quotes")
                }
                switch scalar.text {
                case "true": return true
                case "false": return false
                default: throw InvalidName(kind: "boolean", text: scalar.text, rule: "true or false")
                }
            }, show: { .bool($0) })
    }
}

extension ValueKind where Value == Int {
    static func int(_ range: ClosedRange<Int>) -> Self {
        Self(
            parse: { scalar throws(InvalidName) in
                guard let value = Int(scalar.text), range.contains(value) else {
                    throw InvalidName(kind: "number", text: scalar.text, rule: "a whole number from \(range.lowerBound) to \(range.upperBound)")
                }
                return value
            }, show: { .number(Int64($0)) })
    }
}

extension ValueKind where Value == Duration {
    static var duration: Self {
        Self(parse: { scalar throws(InvalidName) in try DurationText.parse(scalar.text) }, show: { .text(DurationText.text($0)) })
    }
}

extension ValueKind where Value == Duration {
    /// A time-out of nothing would end everything.
    static var positiveDuration: Self {
        Self(
            parse: { scalar throws(InvalidName) in
                let duration = try DurationText.parse(scalar.text)
                guard duration > .zero else { throw InvalidName(kind: "time-out", text: scalar.text, rule: "more than 0; " + DurationText.rule) }
                return duration
            }, show: { .text(DurationText.text($0)) })
    }
}

extension ValueKind where Value == Duration? {
    /// `unlimited` is nil.
    static var durationOrUnlimited: Self {
        Self(
            parse: { scalar throws(InvalidName) in scalar.text == "unlimited" ? nil : try DurationText.parse(scalar.text) },
            show: { .text($0.map(DurationText.text) ?? "unlimited") })
    }
}

extension ValueKind where Value == Int64 {
    static func size(from least: Int64, to most: Int64) -> Self {
        Self(
            parse: { scalar throws(InvalidName) in
                let size = try SizeText.parse(scalar.text)
                guard (least...most).contains(size) else {
                    throw InvalidName(kind: "size", text: scalar.text, rule: "from \(SizeText.text(least)) to \(SizeText.text(most))")
                }
                return size
            }, show: { .text(SizeText.text($0)) })
    }

    static var size: Self { Self(parse: { scalar throws(InvalidName) in try SizeText.parse(scalar.text) }, show: { .text(SizeText.text($0)) }) }
}

extension ValueKind {
    /// A type of its own that reads and writes itself.
    static func type(_ make: @escaping (String) throws(InvalidName) -> Value) -> Self where Value: CustomStringConvertible {
        Self(parse: { scalar throws(InvalidName) in try make(scalar.text) }, show: { .text($0.description) })
    }

    static func choice() -> Self where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
        Self(
            parse: { scalar throws(InvalidName) in
                let words = Value.allCases.map(\.rawValue)
                guard let value = Value(rawValue: scalar.text) else {
                    throw InvalidName(kind: "choice", text: scalar.text, rule: words.joined(separator: ", "))
                }
                return value
            }, show: { .text($0.rawValue) })
    }
}
