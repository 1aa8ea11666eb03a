public import ArtifactModel
public import ServiceLifecycle
public import StorageAPI
import Synchronization

import class Foundation.Thread
public import struct Logging.Logger

/// What happened, in lines that nobody can change, remove or reorder unseen: `<data>/audit/2026-11-27.jsonl`. `LineMaker` draws the chain.
///
/// Recording costs the caller a lock and an append. One thread makes, chains and writes the lines, those of many events at once: a thread of its
/// own, and neither a pool's nor a dispatch queue's, because it waits all its life, for events and for a disk that may hang, and must hold up
/// nobody else's work meanwhile. It ends with `close`.
public final class AuditTrail: AuditSink, Service {
    /// How long what comes first waits for more.
    static let gathering: Duration = .milliseconds(20)
    /// Between two marks in the metadata, while there is traffic.
    static let markInterval: Duration = .seconds(10)

    private let intake: AuditIntake
    private let ledger: any KeyLedger
    private let logger: Logger
    private let kept = Mutex(Kept())

    private struct Kept {
        var head: ChainEnd?
        /// The metadata knows that lines may come.
        var isOpen = false
        var isFailing = false
        var isClosed = false
    }

    /// Goes on where an earlier process ended.
    /// - Parameter folder: made where there is none; one trail at a time writes there.
    /// - Throws: where folder or metadata cannot be read. A full disk does not keep it from opening.
    public static func open(
        _ folder: String, policy: AuditPolicy = AuditPolicy(), ledger: any KeyLedger, now: @escaping WallClock, logger: Logger
    ) async throws(AuditError) -> AuditTrail {
        try await self.open(SystemAuditFiles(folder: folder), policy, ledger, now, logger)
    }

    static func open(
        _ files: any AuditFiles, _ policy: AuditPolicy, _ ledger: any KeyLedger, _ now: @escaping WallClock, _ logger: Logger
    ) async throws(AuditError) -> AuditTrail {
        let text = try await AuditMarks.headText(ledger)
        let mark = text.flatMap { ChainEnd($0) }
        // Somebody changed it. That must be known, and must not keep the server from starting; the next mark replaces it.
        if let text, mark == nil { logger.error("the audit trail is not as it was left", metadata: ["detail": "\(AuditMarks.unreadable)", "mark": "\(text)"]) }
        let isClosed = try await AuditMarks.isClosed(at: mark, ledger)
        // Before the first line.
        let isOpen = await AuditMarks.noteOpen(ledger)
        let intake = AuditIntake(policy.onFailure, logger: logger)
        let opened: Result<Void, AuditError> = await withCheckedContinuation { continuation in
            let thread = Thread {
                let end = Result { () throws(AuditError) in try Self.end(files, mark, isClosed, logger) }
                continuation.resume(returning: end.map { _ in })
                guard case .success(let end) = end else { return }
                Self.work(AuditWorker(intake, files, policy, at: end, now: now, logger: logger), intake)
            }
            thread.name = "audit"
            thread.start()
        }
        try opened.get()
        let trail = AuditTrail(intake, ledger, logger)
        trail.kept.withLock { $0.isOpen = isOpen }
        // What is too old is found in the first turn.
        await intake.flush()
        await trail.keepMarks()
        return trail
    }

    private init(_ intake: AuditIntake, _ ledger: any KeyLedger, _ logger: Logger) {
        self.intake = intake
        self.ledger = ledger
        self.logger = logger
    }

    private static func end(_ files: any AuditFiles, _ mark: ChainEnd?, _ isClosed: Bool, _ logger: Logger) throws(AuditError) -> TrailEnd {
        try files.prepare()
        let end = try TrailEnd.find(files, mark: mark, isClosed: isClosed)
        for remark in end.remarks { logger.error("the audit trail is not as it was left", metadata: ["detail": "\(remark.text)"]) }
        return end
    }

    private static func work(_ worker: AuditWorker, _ intake: AuditIntake) {
        var worker = worker
        repeat {
            intake.wait(worker.patience(at: .now), gathering: Self.gathering)
        } while !worker.turn(at: .now)
    }

    public func record(_ event: AuditEvent) { self.intake.record(event) }

    public var refusal: String? { self.intake.refusal }

    public var figures: AuditFigures { self.intake.figures }

    /// Returns when everything recorded before has been tried; it is synced then, unless the policy is never to.
    public func flush() async { await self.intake.flush() }

    /// Keeps the marks until the shutdown; then `close`.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            // Cancelled by the shutdown, a sleep throws: the loop ends.
            while (try? await Task.sleep(for: Self.markInterval)) != nil {
                await self.keepMarks()
                self.intake.remind(at: .now)
            }
        }
        await self.close()
    }

    /// Writes and syncs what was recorded, sets the marks and ends the thread. A second call does nothing.
    public func close() async {
        let isFirst = self.kept.withLock { kept in
            defer { kept.isClosed = true }
            return !kept.isClosed
        }
        guard isFirst else { return }
        await self.intake.flush()
        // Before the thread ends: what is too old may go only when its mark is set.
        await self.keepMarks()
        await self.intake.end()
        await self.keepMarks(isLast: true)
    }

    /// Sets the marks that have moved. What fails is tried again the next time, and said once.
    /// - Parameter isLast: no line comes any more.
    func keepMarks(isLast: Bool = false) async {
        let (durable, isWhole, expired) = self.intake.marks
        do {
            if !self.kept.withLock({ $0.isOpen }) {
                try await self.ledger.setMarker(AuditMarks.closedName, AuditMarks.open)
                self.kept.withLock { $0.isOpen = true }
            }
            if let durable, durable != self.kept.withLock({ $0.head }) {
                try await self.ledger.setMarker(AuditMarks.headName, durable.text)
                self.kept.withLock { $0.head = durable }
            }
            if let expired {
                try await self.ledger.setMarker(AuditMarks.firstName, expired.mark)
                self.intake.approve(expired)
            }
            if isLast, isWhole, let durable { try await self.ledger.setMarker(AuditMarks.closedName, durable.text) }
            self.kept.withLock { $0.isFailing = false }
        } catch {
            let isNews = self.kept.withLock { kept in
                defer { kept.isFailing = true }
                return !kept.isFailing
            }
            if isNews { self.logger.warning("how far the audit trail goes was not noted", metadata: ["cause": "\(error)"]) }
        }
    }
}
