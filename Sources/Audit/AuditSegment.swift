import ArtifactModel

/// The name of a segment, and its place among the others:
///
/// <data>/audit/2026-11-26.jsonl      the day on which it was begun, in UTC
/// <data>/audit/2026-11-27.jsonl
/// <data>/audit/2026-11-27.1.jsonl    begun on the same day because the one before had grown to the bound
/// <data>/audit/2026-11-27.2.jsonl
struct AuditSegment: Hashable, Comparable, Sendable {
    /// `2026-11-27`.
    let day: String
    /// 0 is not written.
    let number: Int

    init(day: String, number: Int = 0) {
        self.day = day
        self.number = number
    }

    /// nil for any other file.
    init?(name: String) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts.last == "jsonl", Self.isDay(parts[0]) else { return nil }
        self.day = String(parts[0])
        guard parts.count == 3 else {
            self.number = 0
            return
        }
        guard let number = Int(parts[1]), number > 0, "\(number)" == parts[1] else { return nil }
        self.number = number
    }

    var name: String { self.number == 0 ? "\(self.day).jsonl" : "\(self.day).\(self.number).jsonl" }

    /// The one after it. A clock that was set back makes no earlier name: order in the folder is order in the chain.
    func next(on day: String) -> Self { day > self.day ? Self(day: day) : Self(day: self.day, number: self.number + 1) }

    static func < (a: Self, b: Self) -> Bool { (a.day, a.number) < (b.day, b.number) }

    static func day(of moment: Timestamp) -> String { String(UTCText.text(moment).prefix(10)) }

    private static func isDay(_ text: Substring) -> Bool {
        text.utf8.count == 10
            && text.utf8.enumerated().allSatisfy { index, byte in
                index == 4 || index == 7 ? byte == UInt8(ascii: "-") : (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
    }
}

extension AuditFiles {
    /// All there are, oldest first.
    func segments() throws(AuditError) -> [AuditSegment] { try self.names().compactMap(AuditSegment.init(name:)).sorted() }
}
