import ArtifactModel
import Logging

/// What the thread of the trail does each time that it wakes: writes what waits, syncs what is due, and finds what is too old.
struct AuditWorker: Sendable {
    /// How long after a failure it is tried again, at most.
    static let retry: Duration = .seconds(1)

    private let intake: AuditIntake
    private let files: any AuditFiles
    private let policy: AuditPolicy
    private let now: WallClock
    private let logger: Logger
    private var writer: SegmentWriter
    /// Not in the trail yet.
    private var remarks: [TrailEnd.Remark]
    private var batch: [AuditEvent] = []
    /// While it fails.
    private var nextAttempt: ContinuousClock.Instant?
    private var syncDue: ContinuousClock.Instant?
    /// The last segment when it was looked for older ones.
    private var swept: AuditSegment?
    /// Said once.
    private var isRemovalFailing = false

    init(_ intake: AuditIntake, _ files: any AuditFiles, _ policy: AuditPolicy, at end: TrailEnd, now: @escaping WallClock, logger: Logger) {
        self.intake = intake
        self.files = files
        self.policy = policy
        self.now = now
        self.logger = logger
        self.writer = SegmentWriter(files, policy, at: end)
        self.remarks = end.remarks
    }

    /// How long nothing needs to be done without being called; nil: forever.
    func patience(at instant: ContinuousClock.Instant) -> Duration? {
        [self.nextAttempt, self.syncDue].compactMap { $0 }.min().map { max(.zero, $0 - instant) }
    }

    /// - Returns: whether this was the last one.
    mutating func turn(at instant: ContinuousClock.Instant) -> Bool {
        if let next = self.nextAttempt, instant < next, !self.intake.isAwaited { return false }
        let taken = self.intake.take(&self.batch)
        self.remove(taken.approved)
        let moment = self.now()
        do throws(AuditError) {
            try self.write(lost: taken.lost, at: moment)
            try self.syncIfDue(instant, isAwaited: !taken.flushes.isEmpty)
            self.nextAttempt = nil
            self.intake.worked()
        } catch {
            self.nextAttempt = instant + Self.retry
            self.intake.failed(error, at: instant)
        }
        // Memory for a burst is not kept for ever.
        self.batch.removeAll(keepingCapacity: self.batch.count < 4096)
        if self.writer.end.seq > 0 { self.intake.isDurable(self.writer.durable, isWhole: self.writer.durable == self.writer.end) }
        self.sweep(at: moment)
        if taken.isEnding {
            self.writer.close()
            self.intake.abandon()
        }
        for flush in taken.flushes { flush.resume() }
        return taken.isEnding
    }

    private mutating func write(lost: IntakeState.Lost?, at moment: Timestamp) throws(AuditError) {
        let remarks = self.events(lost, at: moment)
        let events = remarks.isEmpty ? self.batch : remarks + self.batch
        var done = 0
        do throws(AuditError) {
            while done < events.count {
                let count = try self.writer.append(events[done...], at: moment)
                self.intake.wrote(count)
                done += count
            }
            self.remarks = []
        } catch {
            self.remarks.removeFirst(min(done, self.remarks.count))
            if let lost, done < remarks.count { self.intake.giveBack(lost) }
            let left = events[max(done, remarks.count)...]
            if error.code == .taken { self.noteTaking() }
            switch self.policy.onFailure {
            // There is another file for them.
            case .continue where error.code != .taken: self.intake.lose(left)
            default: self.intake.giveBack(left)
            }
            throw error
        }
    }

    private mutating func noteTaking() {
        guard let taken = self.writer.taken else { return }
        self.intake.missed(taken.lines)
        let text = "\(taken.segment) was moved or removed while it was written; the lines up to \(self.writer.end.seq) were in it"
        self.remarks.append(.init(operation: "audit.gap", text: text))
    }

    /// What the trail has to say of itself.
    private func events(_ lost: IntakeState.Lost?, at moment: Timestamp) -> [AuditEvent] {
        var remarks = self.remarks
        if let lost { remarks.append(.init(operation: "audit.lost", text: "\(lost.count) events were not recorded, from \(UTCText.text(lost.first)) on")) }
        return remarks.map { remark in
            var event = AuditEvent(time: moment, kind: .administration)
            event.operation = remark.operation
            event.detail = remark.text
            return event
        }
    }

    private mutating func syncIfDue(_ instant: ContinuousClock.Instant, isAwaited: Bool) throws(AuditError) {
        guard self.writer.isUnsynced, case .every(let interval) = self.policy.sync else {
            self.syncDue = nil
            return
        }
        let due = self.syncDue ?? instant + interval
        self.syncDue = due
        guard isAwaited || instant >= due else { return }
        // A failure is tried again as any other: a due moment in the past would have the thread turn without rest.
        self.syncDue = nil
        do throws(AuditError) {
            try self.writer.sync()
        } catch {
            // Linux may forget what it could not write: a later success does not vouch for these.
            if self.nextAttempt == nil {
                let text = "lines up to \(self.writer.end.seq) may not have reached the disk: \(error.message)"
                self.remarks.append(.init(operation: "audit.unsynced", text: text))
            }
            throw error
        }
    }

    // MARK: Retention

    /// The mark of them is set, so that nobody misses them.
    private mutating func remove(_ names: [String]) {
        guard !names.isEmpty else { return }
        do throws(AuditError) {
            for name in names {
                try self.files.remove(name)
                self.logger.info("old audit segment removed", metadata: ["segment": "\(name)"])
            }
            self.isRemovalFailing = false
        } catch {
            // They are looked for again, and so it is tried again.
            self.swept = nil
            if !self.isRemovalFailing { self.logger.warning("old audit segments could not be removed", metadata: ["cause": "\(error)"]) }
            self.isRemovalFailing = true
        }
    }

    /// Looks for segments that are too old, once for each that is begun.
    private mutating func sweep(at moment: Timestamp) {
        guard let retention = self.policy.retention, let current = self.writer.segment, self.swept != current else { return }
        do throws(AuditError) {
            let all = try self.files.segments()
            // Of the last line that a day may have, the age is counted from the day's end.
            let last = AuditSegment.day(of: moment - retention - .seconds(86400))
            let old = all.prefix { $0.day <= last && $0 < current }
            if old.isEmpty {
                self.swept = current
            } else if let first = all.dropFirst(old.count).first, let line = try SegmentTail.firstLine(of: first, self.files) {
                self.swept = current
                self.intake.offer(IntakeState.Expired(mark: AuditMarks.first(seq: line.seq, first), names: old.map(\.name)))
            }
        } catch {
            self.swept = current
            self.logger.warning("old audit segments could not be looked for", metadata: ["cause": "\(error)"])
        }
    }
}
