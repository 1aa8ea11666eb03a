import ArtifactModel

/// The end of the trail, where lines are added. Blocks; one thread has it.
///
/// `length` is how long the segment is as far as it is right. What a failed write left beyond it is cut off before the next one, so that no torn
/// line is ever followed by another.
struct SegmentWriter: Sendable {
    private static let mostChunk = 1 << 20

    private let files: any AuditFiles
    private let policy: AuditPolicy
    private var maker: LineMaker
    private(set) var segment: AuditSegment?
    /// The segment before it; empty: there is none.
    private var previous: String
    private var file: CInt?
    private var length: Int64
    /// Something may lie beyond `length`.
    private var isDirty: Bool
    private(set) var isUnsynced = false
    /// Of this process, in the segment.
    private var lines: Int64 = 0
    /// The last one that somebody took away; the lines that this process had written to it.
    private(set) var taken: (segment: String, lines: Int64)?
    /// How far the trail would be after a power failure, as far as the policy asks for it.
    private(set) var durable: ChainEnd
    private var buffer: [UInt8] = []

    init(_ files: any AuditFiles, _ policy: AuditPolicy, at end: TrailEnd) {
        self.files = files
        self.policy = policy
        self.maker = LineMaker(after: end.chain)
        self.segment = end.segment
        self.previous = end.previous
        self.length = end.length
        self.isDirty = end.tornBytes > 0
        // It was read, and so is there; this process syncs it with its own first lines.
        self.durable = end.chain
    }

    var end: ChainEnd { self.maker.end }

    /// Writes lines of as many of the events as go into one write, at least one.
    /// - Returns: how many they are.
    /// - Throws: and then none of them is in the trail.
    mutating func append(_ events: ArraySlice<AuditEvent>, at moment: Timestamp) throws(AuditError) -> Int {
        let file = try self.place(for: moment)
        let before = self.maker.end
        self.buffer.removeAll(keepingCapacity: true)
        if self.length == 0 { self.maker.addHeader(after: self.previous, at: moment, to: &self.buffer) }
        let room = min(Int64(Self.mostChunk), self.policy.segmentBytes - self.length)
        let count = events.withUnsafeBufferPointer { events in
            // By index: no event is copied for it.
            for index in events.indices {
                self.maker.add(events[index], to: &self.buffer)
                if Int64(self.buffer.count) >= room { return index + 1 }
            }
            return events.count
        }
        do throws(AuditError) {
            try self.put(to: file)
        } catch {
            self.maker.goBack(to: before)
            throw error
        }
        self.length += Int64(self.buffer.count)
        self.lines += self.maker.end.seq - before.seq
        if !self.isUnsynced { self.durable = self.maker.end }
        return count
    }

    /// - Throws: the policy's promise is not kept, then, for what was written since the last time.
    mutating func sync() throws(AuditError) {
        guard self.isUnsynced, let file = self.file else { return }
        try self.files.sync(file)
        self.isUnsynced = false
        self.durable = self.maker.end
    }

    mutating func close() {
        if let file = self.file { self.files.close(file) }
        self.file = nil
    }

    private mutating func put(to file: CInt) throws(AuditError) {
        self.isDirty = true
        do throws(AuditError) {
            var done = 0
            while done < self.buffer.count { done += try self.write(file, from: done) }
            if self.policy.sync == .always { try self.files.sync(file) } else { self.isUnsynced = self.policy.sync != .never }
        } catch {
            // At once, so that a reader does not see it for long; where that fails too, it is done before the next write.
            try? self.mend(file)
            throw error
        }
        self.isDirty = false
    }

    private func write(_ file: CInt, from done: Int) throws(AuditError) -> Int {
        let outcome = self.buffer.withUnsafeBytes { bytes in
            Result { () throws(AuditError) in try self.files.write(file, UnsafeRawBufferPointer(rebasing: bytes[done...])) }
        }
        return try outcome.get()
    }

    private mutating func mend(_ file: CInt) throws(AuditError) {
        try self.files.truncate(file, to: self.length)
        self.isDirty = false
    }

    /// The file that the next line belongs to, opened and without anything torn at its end.
    private mutating func place(for moment: Timestamp) throws(AuditError) -> CInt {
        let day = AuditSegment.day(of: moment)
        let segment = self.segment ?? AuditSegment(day: day)
        self.segment = segment
        try self.heedTaking(of: segment, on: day)
        if self.file == nil { self.file = try self.opened(segment, at: self.length) }
        guard let file = self.file else { throw AuditError(.io, "its segment is not open", cause: segment.name) }
        if self.isDirty { try self.mend(file) }
        guard self.length > 0, day > segment.day || self.length >= self.policy.segmentBytes else { return file }
        return try self.rotate(to: segment.next(on: day), from: file)
    }

    /// What were written to a file that nobody finds any more would be lost unseen.
    /// - Throws: `.taken`; the next line begins another segment, then.
    private mutating func heedTaking(of segment: AuditSegment, on day: String) throws(AuditError) {
        guard let file = self.file, !(try self.files.isOpen(file, as: segment.name)) else { return }
        self.files.close(file)
        self.file = nil
        try self.files.prepare()
        // No line is in it: it is made again.
        guard self.length > 0 else { return }
        self.taken = (segment.name, self.lines)
        self.isUnsynced = false
        self.isDirty = false
        self.begin(segment.next(on: day))
        throw AuditError(.taken, "its file was moved or removed", cause: segment.name)
    }

    /// - Parameter next: has no line yet.
    private mutating func begin(_ next: AuditSegment) {
        self.previous = self.segment?.name ?? ""
        self.segment = next
        self.length = 0
        self.lines = 0
    }

    private mutating func rotate(to next: AuditSegment, from old: CInt) throws(AuditError) -> CInt {
        // Or a power failure could leave the new segment without the end of the old one.
        try self.sync()
        let file = try self.opened(next, at: 0)
        self.files.close(old)
        self.begin(next)
        self.file = file
        return file
    }

    /// - Parameter length: what it must have at least.
    private func opened(_ segment: AuditSegment, at length: Int64) throws(AuditError) -> CInt {
        guard let opened = try self.files.open(segment.name, for: length > 0 ? .appending : .making) else {
            throw AuditError(.io, "its last segment is gone", cause: segment.name)
        }
        do throws(AuditError) {
            // Lines of somebody else would be taken for this trail's own, or cut off with what is torn.
            guard opened.length == length || self.isDirty else { throw AuditError(.io, "somebody else writes its files", cause: segment.name) }
            if length == 0, self.policy.sync != .never { try self.files.syncFolder() }
        } catch {
            self.files.close(opened.file)
            throw error
        }
        return opened.file
    }
}
