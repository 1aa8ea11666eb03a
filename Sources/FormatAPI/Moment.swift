public import ArtifactModel

extension Timestamp {
    /// As JavaScript's `toISOString` writes it: `2026-11-27T18:20:00.000Z`. Moments outside the years 0 to 9999 are the nearest within.
    public var isoText: String {
        let time = min(max(self.milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let day = Self.floor(time, 86_400_000)
        let rest = time - day * 86_400_000
        let (year, month, date) = Self.civil(day)
        let clock = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60].map { Self.padded($0, 2) }.joined(separator: ":")
        return "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(date, 2))T\(clock).\(Self.padded(rest % 1000, 3))Z"
    }

    /// Of days since 1970, in the Gregorian calendar. Years are counted from March, so that the odd day is the last of one.
    private static func civil(_ day: Int64) -> (year: Int64, month: Int64, date: Int64) {
        let days = day + 719_468
        let era = Self.floor(days, 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func floor(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : (a - b + 1) / b }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
