/// Where a line stands.
struct LinePlace: Hashable, Sendable {
    var segment: String
    /// From 1 on.
    var line: Int64
}

/// What is wrong with a chain so far. Neighbours that are alike are one finding, and lines that turn up elsewhere are not missing. Bounded.
struct Findings: Sendable {
    typealias Finding = AuditReport.Finding
    private struct Entry {
        var kind: Finding.Kind
        var place: LinePlace
        var count: Int64
        var seq: Int64?
        /// For people; made of the others where it is nil.
        var message: String?

        var seqs: Range<Int64>? { self.seq.map { $0..<($0 + self.count) } }
    }

    private var entries: [Entry] = []
    private var dropped = 0

    /// A line by itself.
    mutating func add(_ kind: Finding.Kind, at place: LinePlace, seq: Int64?, message: String? = nil) {
        if message == nil, let last = self.entries.last, last.kind == kind, last.message == nil, last.place.segment == place.segment,
            last.place.line + last.count == place.line, last.seq.map({ $0 + last.count }) == seq
        {
            self.entries[self.entries.count - 1].count += 1
        } else {
            self.append(Entry(kind: kind, place: place, count: 1, seq: seq, message: message))
        }
    }

    /// Lines with these numbers should come before this place; those that were seen elsewhere are moved, and not missing.
    mutating func miss(_ seqs: Range<Int64>, before place: LinePlace, segment: String?) {
        let left = Int64(seqs.count) - self.turnUp(seqs)
        guard left > 0 else { return }
        if let segment {
            self.append(Entry(kind: .segmentMissing, place: place, count: left, seq: seqs.lowerBound, message: Self.missing(segment, seqs)))
        } else if let last = self.entries.last, last.kind == .missing, last.place == place, last.seqs?.upperBound == seqs.lowerBound {
            self.entries[self.entries.count - 1].count += left
        } else {
            self.append(Entry(kind: .missing, place: place, count: left, seq: seqs.lowerBound, message: nil))
        }
    }

    /// A line that does not belong where it stands: of those that were missed, or one too many.
    mutating func stray(at place: LinePlace, seq: Int64?) {
        guard let seq, let index = self.entries.firstIndex(where: { $0.kind == .missing && $0.seqs?.contains(seq) == true }) else {
            return self.add(.inserted, at: place, seq: seq)
        }
        let gap = self.entries.remove(at: index)
        // Reckoned, and not counted through: a number that somebody wrote may leave a gap of any size.
        for rest in [gap.seqs.map { $0.lowerBound..<seq }, gap.seqs.map { (seq + 1)..<$0.upperBound }] {
            guard let rest, let start = rest.first else { continue }
            // Cutting makes two of one: that has its bound, too.
            guard self.entries.count < AuditReport.mostFindings else {
                self.dropped += 1
                continue
            }
            var part = gap
            (part.seq, part.count) = (start, Int64(rest.count))
            self.entries.insert(part, at: index)
        }
        self.add(.reordered, at: place, seq: seq)
    }

    mutating func miss(end seqs: Range<Int64>, after place: LinePlace) {
        let left = Int64(seqs.count) - self.turnUp(seqs)
        if left > 0 { self.append(Entry(kind: .endMissing, place: place, count: left, seq: seqs.lowerBound, message: nil)) }
    }

    /// Lines behind what was the end when the trail was closed.
    mutating func grow(_ seqs: Range<Int64>, at place: LinePlace) {
        let message = "added after the trail was closed: \(Self.numbers(seqs))"
        self.append(Entry(kind: .inserted, place: place, count: Int64(seqs.count), seq: seqs.lowerBound, message: message))
    }

    /// Those of the lines that were seen in another place are reordered.
    /// - Returns: how many.
    private mutating func turnUp(_ seqs: Range<Int64>) -> Int64 {
        var count: Int64 = 0
        for index in self.entries.indices {
            guard self.entries[index].kind == .inserted, let own = self.entries[index].seqs, own.clamped(to: seqs) == own else { continue }
            self.entries[index].kind = .reordered
            count += Int64(own.count)
        }
        return count
    }

    func report(into report: inout AuditReport) {
        report.findings += self.entries.map {
            Finding(kind: $0.kind, segment: $0.place.segment, line: $0.place.line, count: $0.count, seq: $0.seq, message: $0.message ?? Self.message($0))
        }
        report.findingCount += self.entries.count + self.dropped
    }

    private mutating func append(_ entry: Entry) {
        if self.entries.count < AuditReport.mostFindings { self.entries.append(entry) } else { self.dropped += 1 }
    }

    private static func missing(_ segment: String, _ seqs: Range<Int64>) -> String { "the segment \(segment) is missing, with \(Self.numbers(seqs))" }

    private static func numbers(_ seqs: Range<Int64>) -> String {
        seqs.count == 1 ? "seq \(seqs.lowerBound)" : "seq \(seqs.lowerBound) to \(seqs.upperBound - 1)"
    }

    private static func message(_ entry: Entry) -> String {
        let numbers = entry.seqs.map(Self.numbers) ?? "without a number"
        return switch entry.kind {
        case .changed: entry.seq == nil ? "is no line of the trail" : "is not what was written, \(numbers)"
        case .missing: "missing before this line: \(entry.count) from seq \(entry.seq ?? 0) on"
        case .inserted: "was not written here, \(numbers)"
        case .reordered: "was written in another place, \(numbers)"
        case .torn: "is not whole"
        case .segmentMissing, .endMissing: "missing: \(numbers)"
        }
    }
}
