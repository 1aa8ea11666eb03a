/// Follows a chain line by line and says what is wrong with it. Decides; `AuditVerifier` reads.
///
/// A line that does not follow the last good one (the anchor) waits as a suspect, because only what comes after it tells what it is:
///
///     the next line follows …            then the suspects were
///     the anchor                         inserted
///     the last suspect                   changed, but for the last: there the chain goes on, behind a gap or in another place
///     as many lines as there are         changed
///     none of these                      … and it is one more suspect
struct ChainCheck: Sendable {
    struct Suspect: Sendable {
        var place: LinePlace
        /// nil: it is no line of the trail.
        var line: ChainLine?
        /// Of a segment's first line: the segment before it, where that is not the one that was read.
        var after: String?
    }

    private static let mostSuspects = 64

    private(set) var findings = Findings()
    private(set) var first: (seq: Int64, place: LinePlace, after: String?)?
    private(set) var lastSeq: Int64 = 0
    private var anchor: (line: ChainLine, place: LinePlace)?
    /// A part of the chain in the wrong place, as far as it goes on.
    private var stray: ChainEnd?
    private var suspects: [Suspect] = []
    /// Suspects that were too many to wait.
    private var blamed: Int64 = 0
    private let mark: ChainEnd?
    private let isClosed: Bool

    /// - Parameters:
    ///   - mark: a line that was durable before the reading began.
    ///   - isClosed: none was written after it.
    init(mark: ChainEnd?, isClosed: Bool = false) {
        self.mark = mark
        self.isClosed = isClosed
    }

    /// How many lines come after the mark.
    var behindMark: Int64 { self.mark.map { max(0, self.lastSeq - $0.seq) } ?? 0 }

    mutating func take(_ next: Suspect) {
        guard let line = next.line else { return self.suspect(next) }
        guard let anchor = self.anchor else { return self.begin(line, next) }
        if line.follows(anchor.line.end) {
            for suspect in self.suspects { self.findings.stray(at: suspect.place, seq: suspect.line?.seq) }
            self.accept(line, at: next.place)
        } else if let stray = self.stray, line.follows(stray) {
            self.findings.stray(at: next.place, seq: line.seq)
            self.stray = line.end
        } else {
            self.stray = nil
            self.judge(line, next, after: anchor.line, at: anchor.place)
        }
    }

    /// No line comes any more.
    /// - Parameter place: the end of the last segment.
    mutating func finish(at place: LinePlace) {
        if let anchor = self.anchor?.line {
            if let last = self.suspects.last, let line = last.line, line.prev != anchor.hash {
                self.resume(at: line, after: anchor, self.anchor?.place ?? place)
            } else {
                self.lastSeq += self.blamed + Int64(self.suspects.count)
                self.blame(self.suspects, after: anchor)
            }
        } else {
            for suspect in self.suspects { self.findings.add(.changed, at: suspect.place, seq: nil) }
        }
        if let mark, self.isClosed, self.behindMark > 0 { self.findings.grow((mark.seq + 1)..<(self.lastSeq + 1), at: place) }
        if let mark, mark.seq > self.lastSeq { self.findings.miss(end: (self.lastSeq + 1)..<(mark.seq + 1), after: place) }
    }

    /// Something that is not of the chain's lines.
    mutating func add(_ kind: AuditReport.Finding.Kind, at place: LinePlace, message: String) {
        self.findings.add(kind, at: place, seq: nil, message: message)
    }

    private mutating func begin(_ line: ChainLine, _ next: Suspect) {
        for suspect in self.suspects { self.findings.add(.changed, at: suspect.place, seq: nil) }
        self.first = (line.seq, next.place, next.after)
        self.accept(line, at: next.place)
    }

    private mutating func judge(_ line: ChainLine, _ next: Suspect, after anchor: ChainLine, at place: LinePlace) {
        let count = self.blamed + Int64(self.suspects.count)
        if let last = self.suspects.last?.line, line.follows(last.end) {
            self.resume(at: last, after: anchor, place)
            if self.stray == nil { return self.accept(line, at: next.place) }
            self.findings.stray(at: next.place, seq: line.seq)
            self.stray = line.end
        } else if line.seq == anchor.seq + count + 1 {
            if count == 0 { self.findings.add(.changed, at: place, seq: anchor.seq) }
            self.blame(self.suspects, after: anchor)
            self.accept(line, at: next.place)
        } else {
            self.suspect(next)
        }
    }

    /// The chain goes on from the last suspect on, wherever that belongs.
    private mutating func resume(at last: ChainLine, after anchor: ChainLine, _ place: LinePlace) {
        guard let suspect = self.suspects.popLast() else { return }
        let expected = anchor.seq + 1 + self.blamed + Int64(self.suspects.count)
        self.blame(self.suspects, after: anchor)
        if last.seq > anchor.seq {
            if last.seq > expected { self.findings.miss(expected..<last.seq, before: suspect.place, segment: suspect.after) }
            self.accept(last, at: suspect.place)
        } else if last.seq == anchor.seq, last.prev == anchor.prev {
            // Both follow the same line, and the others follow this one.
            self.findings.add(.inserted, at: place, seq: anchor.seq)
            self.accept(last, at: suspect.place)
        } else {
            self.findings.stray(at: suspect.place, seq: last.seq)
            self.clear()
            self.stray = last.end
        }
    }

    /// They stand where lines were that are not there: each is what became of one, or comes from another place.
    private mutating func blame(_ suspects: [Suspect], after anchor: ChainLine) {
        for (index, suspect) in suspects.enumerated() {
            let expected = anchor.seq + 1 + self.blamed + Int64(index)
            if let line = suspect.line, line.seq != expected, line.prev != anchor.hash {
                self.findings.stray(at: suspect.place, seq: line.seq)
                self.findings.miss(expected..<(expected + 1), before: suspect.place, segment: nil)
            } else {
                self.findings.add(.changed, at: suspect.place, seq: expected)
            }
        }
    }

    private mutating func accept(_ line: ChainLine, at place: LinePlace) {
        self.clear()
        if let mark, mark.seq == line.seq, mark.hash != line.hash {
            self.findings.add(.changed, at: place, seq: line.seq, message: "is not what the metadata remembers, seq \(line.seq)")
        }
        self.anchor = (line, place)
        self.lastSeq = line.seq
    }

    private mutating func clear() {
        self.suspects = []
        self.blamed = 0
        self.stray = nil
    }

    private mutating func suspect(_ next: Suspect) {
        if self.suspects.count == Self.mostSuspects, let anchor = self.anchor?.line {
            self.blame([self.suspects.removeFirst()], after: anchor)
            self.blamed += 1
        } else if self.suspects.count == Self.mostSuspects {
            self.findings.add(.changed, at: self.suspects.removeFirst().place, seq: nil)
        }
        self.suspects.append(next)
    }
}

extension ChainLine {
    func follows(_ end: ChainEnd) -> Bool { self.seq == end.seq + 1 && self.prev == end.hash }
}
