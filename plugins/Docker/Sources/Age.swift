/// A duration as the configuration writes it: `0`, or a whole number with `ms`, `s`, `m`, `h` or `d`.
public struct Age: Hashable, Sendable, CustomStringConvertible {
    static let rule = "a whole number with ms, s, m, h or d, such as 7d, and at most 36500d"
    public static let week = Age(amount: 7, unit: "d", milliseconds: 7 * 86_400_000)
    private static let units: [(name: String, milliseconds: Int64)] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]

    private let amount: Int64
    private let unit: String
    private let milliseconds: Int64

    public var duration: Duration { .milliseconds(self.milliseconds) }
    public var description: String { "\(self.amount)\(self.unit)" }

    /// nil where it is no duration, or longer than a hundred years: sums of times could overflow.
    public init?(_ text: String) {
        let digits = text.prefix { ("0"..."9").contains($0) }
        let name = text.dropFirst(digits.count)
        guard let amount = Int64(digits), let unit = Self.units.first(where: { $0.name == name }) ?? (text == "0" ? Self.units.first : nil) else { return nil }
        let (milliseconds, overflow) = amount.multipliedReportingOverflow(by: unit.milliseconds)
        guard !overflow, milliseconds <= 36_500 * 86_400_000 else { return nil }
        self.init(amount: amount, unit: String(name), milliseconds: milliseconds)
    }

    private init(amount: Int64, unit: String, milliseconds: Int64) {
        self.amount = amount
        self.unit = unit
        self.milliseconds = milliseconds
    }
}
