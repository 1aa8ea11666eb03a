/// Dates in headers, whole seconds in GMT. RFC 9110, 5.6.7.
public enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    public static func text(seconds: Int64) -> String {
        let time = Self.fields(seconds: seconds)
        return "\(Self.days[time.weekday]), \(Self.two(time.day)) \(Self.months[Int(time.month) - 1]) \(time.year) "
            + "\(Self.two(time.hour)):\(Self.two(time.minute)):\(Self.two(time.second)) GMT"
    }

    public static func text(_ moment: Timestamp) -> String { Self.text(seconds: moment.milliseconds / 1000) }

    /// Seconds since 1970, of any of the three forms that recipients must know; nil for anything else.
    public static func seconds(_ text: some StringProtocol) -> Int64? {
        let words = text.split { (character: Character) in " ,:-".contains(character) }.map { String($0) }
        switch words.count {
        case 8 where words[7] == "GMT": return Self.seconds(words[3], words[2], words[1], words[4...6])
        case 7: return Self.seconds(words[6], words[1], words[2], words[3...5])
        default: return nil
        }
    }

    private static func seconds(_ year: String, _ month: String, _ day: String, _ time: ArraySlice<String>) -> Int64? {
        let clock = time.compactMap { Int64($0) }
        guard var year = Int64(year), let month = Self.months.firstIndex(of: month), let day = Int64(day), clock.count == 3 else { return nil }
        if year < 100 { year += year < 70 ? 2000 : 1900 }
        guard (1...31).contains(day), (1601...9999).contains(year), (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2])
        else { return nil }
        return Self.day(year: year, month: Int64(month) + 1, day: day) * 86400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
    }

    /// Days since 1970-01-01 in the Gregorian calendar, by eras of 400 years that begin in March.
    private static func day(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468
    }

    public struct Fields {
        public var year, month, day, hour, minute, second: Int64
        /// 0 is Thursday, as 1970-01-01 was.
        public var weekday: Int
    }

    /// A moment as the calendar and the clock in Greenwich show it.
    public static func fields(seconds: Int64) -> Fields {
        let day = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400
        let second = seconds - day * 86400
        let date = Self.civil(day)
        return Fields(
            year: date.year, month: date.month, day: date.day, hour: second / 3600, minute: second / 60 % 60, second: second % 60,
            weekday: Int((day % 7 + 7) % 7))
    }

    private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719468
        let era = (shifted >= 0 ? shifted : shifted - 146096) / 146097
        let dayOfEra = shifted - era * 146097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
