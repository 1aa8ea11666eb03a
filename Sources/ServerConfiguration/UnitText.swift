import ArtifactModel

/// `500ms 2s 10m 24h 30d`: one whole number and one unit; `0` needs none.
enum DurationText {
    static let rule = "a whole number with ms, s, m, h or d, such as 30s"
    private static let units: [(name: String, factor: Int64)] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]

    static func parse(_ text: String) throws(InvalidName) -> Duration {
        if text == "0" { return .zero }
        // A hundred years: beyond it sums of times could overflow.
        guard let value = UnitText.parse(text, Self.units, most: 36_500 * 86_400_000) else { throw InvalidName(kind: "duration", text: text, rule: Self.rule) }
        return .milliseconds(value)
    }

    static func text(_ duration: Duration) -> String { UnitText.text(duration.wholeMilliseconds, Self.units) }
}

/// `64KiB 20MiB 500GiB`: one whole number and one unit, in bytes; `0` needs none.
enum SizeText {
    static let rule = "a whole number with B, KiB, MiB, GiB or TiB, such as 20MiB"
    private static let units: [(name: String, factor: Int64)] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)]

    static func parse(_ text: String) throws(InvalidName) -> Int64 {
        if text == "0" { return 0 }
        guard let value = UnitText.parse(text, Self.units, most: .max) else { throw InvalidName(kind: "size", text: text, rule: Self.rule) }
        return value
    }

    static func text(_ bytes: Int64) -> String { UnitText.text(bytes, Self.units) }
}

private enum UnitText {
    static func parse(_ text: String, _ units: [(name: String, factor: Int64)], most: Int64) -> Int64? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard let number = Int64(digits), let unit = units.first(where: { $0.name == text.dropFirst(digits.count) }) else { return nil }
        let (value, overflow) = number.multipliedReportingOverflow(by: unit.factor)
        return overflow || value > most ? nil : value
    }

    /// With the largest unit that divides it.
    static func text(_ value: Int64, _ units: [(name: String, factor: Int64)]) -> String {
        guard value != 0, let unit = units.last(where: { value % $0.factor == 0 }) else { return "0" }
        return "\(value / unit.factor)\(unit.name)"
    }
}
