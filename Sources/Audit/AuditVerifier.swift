public import ArtifactModel
public import StorageAPI
import Synchronization

/// Reads the whole trail and says what of it is not as it was written. Reads only, also beside the server that writes.
public struct AuditVerifier: Sendable {
    public struct Options: Hashable, Sendable {
        /// Somebody writes meanwhile: a last line that is not whole is on its way.
        public var isLive = false
        public init(isLive: Bool = false) { self.isLive = isLive }
    }

    private let files: any AuditFiles

    public init(_ folder: String) { self.init(SystemAuditFiles(folder: folder)) }

    init(_ files: any AuditFiles) { self.files = files }

    /// Compares beginning and end with the metadata too. The reading itself is done on `pool`; a cancelled task ends it.
    /// - Parameter progress: called on the pool, after each half mebibyte.
    /// - Throws: `AuditError` where files or metadata cannot be read, `CancellationError`.
    public func verify(
        _ options: Options = Options(), ledger: any KeyLedger, on pool: any BlockingPool, progress: @escaping @Sendable (AuditProgress) -> Void
    ) async throws -> AuditReport {
        // The end before the reading, and the beginning after it: meanwhile lines come at the end and go at the beginning.
        let head = try await AuditMarks.head(ledger)
        let isClosed = options.isLive ? false : try await AuditMarks.isClosed(at: head, ledger)
        let reading = try await pool.running { isCancelled in
            try self.read(options, head: head, isClosed: isClosed, isCancelled: isCancelled, progress: progress)
        }
        return reading.report(firstSeq: try await AuditMarks.firstSeq(ledger))
    }

    /// The same without metadata: lines that are missing at either end are not missed. Blocks.
    public func verify(
        _ options: Options = Options(), isCancelled: () -> Bool = { false }, progress: (AuditProgress) -> Void = { _ in }
    ) throws -> AuditReport { try self.read(options, head: nil, isCancelled: isCancelled, progress: progress).report(firstSeq: nil) }

    private func read(
        _ options: Options, head: ChainEnd?, isClosed: Bool = false, isCancelled: () -> Bool, progress: (AuditProgress) -> Void
    ) throws -> TrailReading {
        var reading = TrailReading(mark: head, isClosed: isClosed)
        let walk = try SegmentWalk(self.files)
        try walk.forEach(isCancelled: isCancelled, progress: progress) { event in
            switch event {
            case .segment(let name): reading.begin(name)
            case .line(let line): reading.take(line)
            case .end(let isLast): reading.endSegment(isLive: options.isLive && isLast)
            }
        }
        reading.finish(walk.totalBytes, isLive: options.isLive)
        return reading
    }
}

/// What a verification has read so far.
private struct TrailReading: Sendable {
    private var check: ChainCheck
    private var report = AuditReport()
    private var segment = ""
    private var previous = ""
    private var line: Int64 = 0
    /// The segment's last bytes, where they had no newline.
    private var isOpen = false
    private var open: ChainLine?

    init(mark: ChainEnd?, isClosed: Bool) { self.check = ChainCheck(mark: mark, isClosed: isClosed) }

    mutating func begin(_ name: String) {
        self.previous = self.segment
        self.segment = name
        self.line = 0
        self.isOpen = false
        self.report.segments += 1
    }

    mutating func take(_ line: SegmentLines.Line) {
        switch line {
        case .whole(let bytes):
            self.line += 1
            self.note(bytes)
            let after = self.line == 1 ? SegmentHeader.previous(of: bytes).flatMap { $0 == self.previous ? nil : $0 } : nil
            self.check.take(.init(place: self.place, line: ChainLine(bytes), after: after))
        case .tooLong:
            self.line += 1
            self.report.lines += 1
            self.check.take(.init(place: self.place))
        case .open(let bytes):
            self.isOpen = true
            self.open = ChainLine(bytes)
        }
    }

    mutating func endSegment(isLive: Bool) {
        guard self.isOpen, !isLive else { return }
        self.line += 1
        self.check.add(.torn, at: self.place, message: "the line is not whole: it has no end")
        // All but its newline may be there.
        if let open { self.check.take(.init(place: self.place, line: open)) }
    }

    mutating func finish(_ bytes: Int64, isLive: Bool) {
        self.check.finish(at: LinePlace(segment: self.segment, line: 0))
        self.report.behindMark = isLive ? 0 : self.check.behindMark
        self.report.bytes = bytes
    }

    /// - Parameter firstSeq: of the line that must be there; nil: not known.
    func report(firstSeq: Int64?) -> AuditReport {
        var (report, check) = (self.report, self.check)
        report.isCompared = firstSeq != nil
        report.firstSeq = check.first?.seq
        report.lastSeq = check.first.map { _ in check.lastSeq }
        if let firstSeq, let first = check.first, first.seq > firstSeq {
            let name = first.after.map { $0.isEmpty ? "" : ", the last of them in \($0)" } ?? ""
            check.add(.segmentMissing, at: first.place, message: "missing at the beginning: seq \(firstSeq) to \(first.seq - 1)\(name)")
        }
        check.findings.report(into: &report)
        return report
    }

    private var place: LinePlace { LinePlace(segment: self.segment, line: self.line) }

    private mutating func note(_ line: UnsafeRawBufferPointer) {
        self.report.lines += 1
        guard let time = ChainLine.time(of: line) else { return }
        if self.report.firstTime == nil { self.report.firstTime = time }
        self.report.lastTime = time
    }
}
