import ArtifactModel
import Dispatch
import Logging
import Synchronization

/// Between those who record and the thread that writes: what waits, and how it goes. Everything here is quick; nothing waits for a disk.
final class AuditIntake: Sendable {
    private static let ended = AuditError(.io, "it has ended", cause: "an event came after the end")

    private let state = Mutex(IntakeState())
    private let isFailing = Atomic<Bool>(false)
    private let logger: Logger
    private let choice: AuditPolicy.FailureChoice
    /// Rung where there is something to do; the thread sleeps at it.
    private let bell = DispatchSemaphore(value: 0)
    /// Rung beside it where somebody waits.
    private let hurry = DispatchSemaphore(value: 0)

    init(_ choice: AuditPolicy.FailureChoice, logger: Logger) {
        self.choice = choice
        self.logger = logger
    }

    // MARK: For those who record

    func record(_ event: AuditEvent) {
        let size = event.textBytes
        let (isFirst, notice) = self.state.withLock { state -> (Bool, AuditHealth.Notice?) in
            if state.add(event, size) {
                defer { state.isCalled = true }
                return (!state.isCalled, nil)
            }
            self.isFailing.store(true, ordering: .relaxed)
            return (false, state.isEnded ? state.health.failed(Self.ended, at: .now) : state.health.overflowed(at: .now))
        }
        if isFirst { self.bell.signal() }
        if let notice { self.log(notice) }
    }

    var refusal: String? {
        guard self.choice == .refuse, self.isFailing.load(ordering: .relaxed) else { return nil }
        return self.state.withLock { state in
            state.health.reason.map { "the audit trail cannot be written: \($0); free space, or set audit.onFailure to continue" }
        }
    }

    var figures: AuditFigures {
        self.state.withLock { state in
            var figures = state.figures
            figures.waiting = state.waiting.count
            figures.isFailing = state.health.isFailing
            return figures
        }
    }

    /// Returns when all that was recorded before has been tried, and synced where there is a policy of that.
    func flush() async {
        await withCheckedContinuation { continuation in
            let isEnded = self.state.withLock { state in
                if !state.isEnded { state.flushes.append(continuation) }
                state.isCalled = true
                return state.isEnded
            }
            if isEnded { return continuation.resume() }
            self.hurry.signal()
            self.bell.signal()
        }
    }

    /// Ends the thread, after what it has to do; returns when it did. What is recorded after it is never written.
    func end() async {
        self.state.withLock { $0.isEnding = true }
        await self.flush()
    }

    /// Whether somebody is held up until the thread has had its turn.
    var isAwaited: Bool { self.state.withLock { !$0.flushes.isEmpty } }

    /// Said from time to time by somebody who is never held up by the disk.
    func remind(at instant: ContinuousClock.Instant) {
        if let notice = self.state.withLock({ $0.health.remind(at: instant) }) { self.log(notice) }
    }

    // MARK: For those who keep the marks

    /// How far the trail is durable, and what is too old.
    var marks: (durable: ChainEnd?, isWhole: Bool, expired: IntakeState.Expired?) { self.state.withLock { ($0.durable, $0.isWhole, $0.expired) } }

    /// The mark is set: these may go.
    func approve(_ expired: IntakeState.Expired) {
        self.state.withLock { state in
            state.approved = expired.names
            if state.expired == expired { state.expired = nil }
        }
    }

    // MARK: For the thread

    /// Returns when there is something to do, or after `patience`; nil: for as long as it takes.
    /// - Parameter gathering: how long what comes first waits for more, so that many events are one write and one wake-up.
    func wait(_ patience: Duration?, gathering: Duration) {
        if let patience {
            guard self.bell.wait(timeout: .now() + patience.dispatched) == .success else { return }
        } else {
            self.bell.wait()
        }
        _ = self.hurry.wait(timeout: .now() + gathering.dispatched)
    }

    /// - Parameter events: empty; gets what waits, and its memory is used for what will.
    func take(_ events: inout [AuditEvent]) -> IntakeState.Taken { self.state.withLock { $0.take(&events) } }

    /// Not written, and to be tried again before what came meanwhile.
    func giveBack(_ events: ArraySlice<AuditEvent>) { self.state.withLock { $0.giveBack(events) } }

    /// The line that tells of these was not written.
    func giveBack(_ lost: IntakeState.Lost) { self.state.withLock { $0.tell(lost) } }

    func lose(_ events: ArraySlice<AuditEvent>) { self.state.withLock { $0.lose(events) } }

    /// The end of the thread: nobody will write what is left, nor a line about what is lost.
    func abandon() {
        let (left, flushes) = self.state.withLock { state in
            state.lose(state.waiting[...])
            state.waiting = []
            state.isEnded = true
            defer { state.flushes = [] }
            return (state.lost, state.flushes)
        }
        for flush in flushes { flush.resume() }
        if let left {
            self.logger.error(
                "the audit trail ends without events that could not be written",
                metadata: ["lost": "\(left.count)", "since": "\(UTCText.text(left.first))"])
        }
    }

    /// Lines that were written are not where they belong any more. A line of its own tells of them.
    func missed(_ count: Int64) { self.state.withLock { $0.figures.lost += count } }

    func wrote(_ count: Int) { self.state.withLock { $0.figures.written += Int64(count) } }

    /// - Parameter isWhole: whether no line was written after it.
    func isDurable(_ end: ChainEnd, isWhole: Bool) {
        self.state.withLock { state in
            state.durable = end
            state.isWhole = isWhole
        }
    }

    func offer(_ expired: IntakeState.Expired) { self.state.withLock { $0.expired = expired } }

    func failed(_ error: AuditError, at instant: ContinuousClock.Instant) {
        let notice = self.state.withLock { state in
            self.isFailing.store(true, ordering: .relaxed)
            return state.health.failed(error, at: instant)
        }
        if let notice { self.log(notice) }
    }

    func worked() {
        guard self.isFailing.load(ordering: .relaxed) else { return }
        let notice = self.state.withLock { state in
            self.isFailing.store(false, ordering: .relaxed)
            return state.health.worked()
        }
        if let notice { self.log(notice) }
    }

    private func log(_ notice: AuditHealth.Notice) {
        let lost = self.state.withLock { $0.figures.lost }
        switch notice {
        case .failing(let reason, let cause):
            self.logger.error(
                "the audit trail cannot be written",
                metadata: ["reason": "\(reason)", "cause": "\(cause)", "onFailure": "\(self.choice.rawValue)", "lost": "\(lost)"])
        case .recovered: self.logger.notice("the audit trail is written again", metadata: ["lost": "\(lost)"])
        }
    }
}

extension Duration {
    fileprivate var dispatched: DispatchTimeInterval { .milliseconds(Int(clamping: max(0, self.wholeMilliseconds))) }
}
