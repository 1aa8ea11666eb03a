import ArtifactModel
import Foundation
import Logging
import StorageAPI
import Synchronization

@testable import Audit

/// Markers in memory; forgets everything else.
final class MemoryLedger: KeyLedger {
    private let texts = Mutex<[String: String]>([:])
    private let failing = Mutex(false)

    var isFailing: Bool {
        get { self.failing.withLock { $0 } }
        set { self.failing.withLock { $0 = newValue } }
    }
    var head: ChainEnd? { self.texts.withLock { $0["audit.head"].flatMap { ChainEnd($0) } } }
    var first: String? { self.texts.withLock { $0["audit.first"] } }

    func keys(for purpose: String) async throws(MetadataError) -> [KeyRecord] { [] }
    func add(_ key: KeyRecord, after newest: String?, dropping oldest: Timestamp) async throws(MetadataError) -> Bool { false }
    func marker(_ name: String) async throws(MetadataError) -> String? { self.texts.withLock { $0[name] } }
    func setMarker(_ name: String, _ text: String) async throws(MetadataError) {
        if self.isFailing { throw MetadataError(.io, "the ledger is gone") }
        self.texts.withLock { $0[name] = text }
    }
}

/// Time that stands still until a test moves it.
final class HandClock: Sendable {
    private let time: Mutex<Timestamp>
    /// 2026-11-27T12:00:00Z.
    init(_ start: Int64 = 1_795_780_800_000) { self.time = Mutex(Timestamp(milliseconds: start)) }
    var now: Timestamp { self.time.withLock { $0 } }
    func advance(by duration: Duration) { self.time.withLock { $0 = $0 + duration } }
}

/// What the log was told.
final class LogLines: Sendable {
    private let kept = Mutex<[String]>([])
    var lines: [String] { self.kept.withLock { $0 } }
    var logger: Logger { Logger(label: "audit", factory: { _ in Handler(lines: self) }) }

    private struct Handler: LogHandler {
        var logLevel: Logger.Level = .info
        var metadata: Logger.Metadata = [:]
        let lines: LogLines
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }
        func log(event: LogEvent) { self.lines.kept.withLock { $0.append("\(event.level) \(event.message)") } }
    }
}

/// A trail whose thread is the test: nothing happens but in `turn`.
struct StillTrail {
    let files: ScriptedFiles
    let clock: HandClock
    let log = LogLines()
    let intake: AuditIntake
    private var worker: AuditWorker
    private(set) var instant = ContinuousClock.now

    init(_ files: ScriptedFiles, _ policy: AuditPolicy = .init(), clock: HandClock = HandClock(), mark: ChainEnd? = nil) throws {
        self.files = files
        self.clock = clock
        self.intake = AuditIntake(policy.onFailure, logger: self.log.logger)
        self.worker = AuditWorker(self.intake, files, policy, at: try TrailEnd.find(files, mark: mark), now: { clock.now }, logger: self.log.logger)
    }

    func record(_ subjects: String...) { for subject in subjects { self.intake.record(.pull(subject, at: self.clock.now)) } }

    /// - Parameter passed: since the last turn, on the clock that nobody sets.
    mutating func turn(after passed: Duration = .zero) {
        self.instant += passed
        _ = self.worker.turn(at: self.instant)
    }

    var patience: Duration? { self.worker.patience(at: self.instant) }
    var durable: ChainEnd? { self.intake.marks.durable }
}

extension AuditEvent {
    static func pull(_ subject: String, at time: Timestamp = Timestamp(milliseconds: 1_795_780_800_000)) -> AuditEvent {
        var event = AuditEvent(time: time, kind: .pull)
        event.subject = subject
        return event
    }
}

func policy(_ change: (inout AuditPolicy) -> Void) -> AuditPolicy {
    var policy = AuditPolicy()
    change(&policy)
    return policy
}

/// A folder of a test's own, removed after it.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "entrepot-audit-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}
