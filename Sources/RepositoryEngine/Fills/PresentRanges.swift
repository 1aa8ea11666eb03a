/// Which bytes of a file have arrived: ascending ranges, none touching another. Offsets in bytes.
struct PresentRanges: Hashable, Sendable {
    private(set) var ranges: [Range<Int64>] = []

    mutating func insert(_ new: Range<Int64>) {
        guard !new.isEmpty else { return }
        // By far the most inserts go on where the last one ended.
        if let last = self.ranges.indices.last, self.ranges[last].upperBound == new.lowerBound {
            self.ranges[last] = self.ranges[last].lowerBound..<new.upperBound
            return
        }
        var merged = new
        self.ranges.removeAll { old in
            guard old.lowerBound <= merged.upperBound, merged.lowerBound <= old.upperBound else { return false }
            merged = min(old.lowerBound, merged.lowerBound)..<max(old.upperBound, merged.upperBound)
            return true
        }
        self.ranges.insert(merged, at: self.ranges.firstIndex { $0.lowerBound > merged.lowerBound } ?? self.ranges.endIndex)
    }

    /// How far one can read from `offset` without a hole.
    func end(from offset: Int64) -> Int64 { self.ranges.first { $0.contains(offset) }?.upperBound ?? offset }

    /// What of `range` is not there, ascending.
    func gaps(in range: Range<Int64>) -> [Range<Int64>] {
        var gaps: [Range<Int64>] = []
        var at = range.lowerBound
        for there in self.ranges where there.upperBound > at && there.lowerBound < range.upperBound {
            if there.lowerBound > at { gaps.append(at..<there.lowerBound) }
            at = there.upperBound
        }
        if at < range.upperBound { gaps.append(at..<range.upperBound) }
        return gaps
    }

    /// Where the next bytes that are there begin, at or after `offset`; nil: there are none.
    func start(after offset: Int64) -> Int64? { self.ranges.first { $0.lowerBound >= offset }?.lowerBound }
}
