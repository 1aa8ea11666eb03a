import ArtifactModel

/// Where a trail ends that an earlier process wrote, and what is to be said of it.
struct TrailEnd: Sendable {
    /// nil: there is none yet.
    var segment: AuditSegment?
    /// The name of the one before it; empty: there is none.
    var previous = ""
    var chain = ChainEnd.start
    /// Of the last segment, as far as its lines are whole, in bytes.
    var length: Int64 = 0
    /// What lies behind that, of a process that was ended while it wrote.
    var tornBytes: Int64 = 0
    /// For the log and for the trail itself: what is not as it was left.
    var remarks: [Remark] = []

    struct Remark: Hashable, Sendable {
        /// `audit.torn`, `audit.gap`, `audit.grown`.
        var operation: String
        var text: String
    }

    /// Reads as much of the last segments as it needs.
    /// - Parameters:
    ///   - mark: how far the trail was known to go, as the metadata remembers it.
    ///   - isClosed: whether it went no further when it was closed.
    static func find(_ files: any AuditFiles, mark: ChainEnd?, isClosed: Bool = false) throws(AuditError) -> TrailEnd {
        var end = TrailEnd()
        var segments = try files.segments()
        end.segment = segments.last
        var isFound = false
        while !isFound, let segment = segments.popLast() {
            let tail = try SegmentTail.read(segment, files)
            if segment == end.segment {
                end.length = tail.length
                end.tornBytes = tail.size - tail.length
                end.previous = segments.last?.name ?? ""
            }
            isFound = tail.length > 0
            if isFound { end.chain = tail.chain ?? ChainEnd(seq: mark?.seq ?? 0, hash: tail.lastHash) }
        }
        if end.tornBytes > 0 {
            end.remark("audit.torn", "\(end.tornBytes) bytes of a line that was not finished were cut off the end of \(end.segment?.name ?? "")")
        }
        if let mark { end.compare(with: mark, isClosed) }
        return end
    }

    /// A trail that ends before its mark has lost lines. It goes on with the numbers after the mark, so that the gap stays to be seen.
    private mutating func compare(with mark: ChainEnd, _ isClosed: Bool) {
        if mark.seq > self.chain.seq {
            self.remark("audit.gap", "lines \(self.chain.seq + 1) to \(mark.seq) were written, and are missing")
            self.chain = mark
        } else if mark.seq == self.chain.seq, mark.hash != self.chain.hash {
            self.remark("audit.gap", "line \(mark.seq) is not the one that was written")
            self.chain = mark
        } else if isClosed, mark.seq < self.chain.seq {
            self.remark("audit.grown", "lines \(mark.seq + 1) to \(self.chain.seq) were added by somebody else, while nothing was open")
        }
    }

    private mutating func remark(_ operation: String, _ text: String) { self.remarks.append(Remark(operation: operation, text: text)) }
}

/// The last lines of one segment.
struct SegmentTail {
    /// Of whole lines, and of the file, in bytes.
    var length: Int64 = 0
    var size: Int64 = 0
    /// What the last line comes to. nil: none of the last lines is one of the trail's.
    var chain: ChainEnd?
    /// Of the last whole line, whatever it is.
    var lastHash = LineHash.none

    private static let step = 64 << 10
    /// Some whole lines are in it, however long they are.
    private static let window = 8 * LineMaker.mostBytes

    static func read(_ segment: AuditSegment, _ files: any AuditFiles) throws(AuditError) -> SegmentTail {
        guard let opened = try files.open(segment.name, for: .reading) else { throw AuditError(.io, "a segment is gone", cause: segment.name) }
        defer { files.close(opened.file) }
        var tail = SegmentTail(size: opened.length)
        tail.length = try Self.wholeLength(files, opened)
        let start = max(0, tail.length - Int64(Self.window))
        tail.take(try Self.bytes(files, opened.file, start..<tail.length))
        return tail
    }

    /// nil: it has none, or it is none of the trail's.
    static func firstLine(of segment: AuditSegment, _ files: any AuditFiles) throws(AuditError) -> ChainLine? {
        guard let opened = try files.open(segment.name, for: .reading) else { return nil }
        defer { files.close(opened.file) }
        let bytes = try Self.bytes(files, opened.file, 0..<min(opened.length, Int64(LineMaker.mostBytes)))
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        return bytes[..<end].withUnsafeBytes { ChainLine($0) }
    }

    /// What follows the last newline is torn, however much it is.
    private static func wholeLength(_ files: any AuditFiles, _ opened: OpenedAuditFile) throws(AuditError) -> Int64 {
        var end = opened.length
        while end > 0 {
            let start = max(0, end - Int64(Self.step))
            if let newline = try Self.bytes(files, opened.file, start..<end).lastIndex(of: UInt8(ascii: "\n")) { return start + Int64(newline) + 1 }
            end = start
        }
        return 0
    }

    private static func bytes(_ files: any AuditFiles, _ file: CInt, _ range: Range<Int64>) throws(AuditError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(range.count))
        var done = 0
        while done < bytes.count {
            let outcome = bytes.withUnsafeMutableBytes { all in
                Result { () throws(AuditError) in
                    try files.read(file, at: range.lowerBound + Int64(done), into: UnsafeMutableRawBufferPointer(rebasing: all[done...]))
                }
            }
            let count = try outcome.get()
            guard count > 0 else { throw AuditError(.io, "a segment grew shorter while it was read", cause: "at \(range.lowerBound + Int64(done))") }
            done += count
        }
        return bytes
    }

    /// Lines that somebody spoilt keep their numbers: the count goes on from the last one that is right.
    private mutating func take(_ bytes: [UInt8]) {
        var spoilt: Int64 = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast().reversed() {
            line.withUnsafeBytes { line in
                if spoilt == 0 { self.lastHash = LineHash(of: line) }
                self.chain = ChainLine(line).map { ChainEnd(seq: $0.seq + spoilt, hash: spoilt == 0 ? $0.hash : self.lastHash) }
            }
            if self.chain != nil { return }
            spoilt += 1
        }
    }
}
