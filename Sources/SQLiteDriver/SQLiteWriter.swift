import Dispatch
import SQLMetadata
import StorageAPI
import Synchronization

/// The one connection that writes. Batches wait in a queue; whoever finds nobody at work starts the work, on a thread of its own, and
/// that takes what has gathered, up to `GroupCommit.most` at a time, until the queue is empty. Nothing waits for a fuller group: a group
/// grows while the one before it is synced.
///
/// The connection is in a `Mutex` that is held across its I/O: only the writer's thread and, for `:memory:`, threads of the pool take it.
final class SQLiteWriter: Sendable {
    private struct Waiting {
        var batches: [Batch] = []
        var isAtWork = false
        var isClosed = false
    }
    private struct Batch {
        let steps: [SQLStep]
        let isFreeing: Bool
        let cancellation: Cancellation
        let continuation: CheckedContinuation<GroupCommit.Outcome, Never>
    }
    /// Set by the task that waits; looked at when its batch's turn comes.
    private final class Cancellation: Sendable {
        let isCancelled = Atomic(false)
    }

    private let connection: Mutex<SQLiteConnection?>
    private let waiting = Mutex(Waiting())
    private let thread = DispatchQueue(label: "entrepot.sqlite.writer")

    private let reserve: (any SpaceReserve)?

    init(_ connection: sending SQLiteConnection, reserve: (any SpaceReserve)? = nil) {
        self.connection = Mutex(connection)
        self.reserve = reserve
    }

    /// - Parameter isFreeing: where there is no space for it, the reserve is released and it is run once more.
    func commit(_ steps: [SQLStep], isFreeing: Bool = false) async throws(MetadataError) {
        let cancellation = Cancellation()
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                self.enqueue(Batch(steps: steps, isFreeing: isFreeing, cancellation: cancellation, continuation: continuation))
            }
        } onCancel: {
            cancellation.isCancelled.store(true, ordering: .relaxed)
        }
        try outcome.get()
    }

    /// On the caller's thread, which may block: shares the connection with the writer.
    func read<Result: Sendable>(_ body: @Sendable (SQLiteConnection) throws -> Result) throws -> Result {
        try self.connection.withLock { connection in
            guard let connection else { throw MetadataError(.cancelled, "the database is closed") }
            return try body(connection)
        }
    }

    /// After what is queued. Moves the log into the database; later batches are refused as cancelled.
    func close() async throws(MetadataError) {
        self.waiting.withLock { $0.isClosed = true }
        let outcome: Result<Void, MetadataError> = await withCheckedContinuation { continuation in
            self.thread.async { continuation.resume(returning: self.finish()) }
        }
        try outcome.get()
    }

    private func finish() -> Result<Void, MetadataError> {
        self.connection.withLock { connection in
            defer { connection = nil }
            return Result { () throws(MetadataError) in try connection?.script("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize;") }
        }
    }

    private func enqueue(_ batch: Batch) {
        let starts: Bool? = self.waiting.withLock { waiting in
            guard !waiting.isClosed else { return nil }
            waiting.batches.append(batch)
            defer { waiting.isAtWork = true }
            return !waiting.isAtWork
        }
        switch starts {
        case nil: batch.continuation.resume(returning: .failure(MetadataError(.cancelled, "the database is closed")))
        case true?: self.thread.async { self.work() }
        case false?: break
        }
    }

    private func work() {
        while let group = self.nextGroup() {
            var live: [Batch] = []
            for batch in group {
                if batch.cancellation.isCancelled.load(ordering: .relaxed) {
                    batch.continuation.resume(returning: .failure(MetadataError(.cancelled, "the task was cancelled before its batch ran")))
                } else {
                    live.append(batch)
                }
            }
            let outcomes = self.connection.withLock { connection in connection.map { self.run(live, on: $0) } }
            for (index, batch) in live.enumerated() {
                batch.continuation.resume(returning: outcomes?[index] ?? .failure(MetadataError(.cancelled, "the database is closed")))
            }
        }
    }

    private func run(_ batches: [Batch], on connection: SQLiteConnection) -> [GroupCommit.Outcome] {
        let group = GroupCommit(connection: connection)
        var outcomes = group.run(batches.map(\.steps))
        let starved = batches.indices.filter { batches[$0].isFreeing && outcomes[$0].isOutOfSpace }
        guard let reserve, !starved.isEmpty, reserve.release() else { return outcomes }
        // So that the log is begun anew and what was released is not its own next growth. It helps; without it the batches run all the same.
        try? connection.script("PRAGMA wal_checkpoint(PASSIVE)")
        for (index, outcome) in zip(starved, group.run(starved.map { batches[$0].steps })) { outcomes[index] = outcome }
        return outcomes
    }

    private func nextGroup() -> [Batch]? {
        self.waiting.withLock { waiting in
            guard !waiting.batches.isEmpty else {
                waiting.isAtWork = false
                return nil
            }
            defer { waiting.batches.removeFirst(min(GroupCommit.most, waiting.batches.count)) }
            return Array(waiting.batches.prefix(GroupCommit.most))
        }
    }
}

extension GroupCommit.Outcome {
    fileprivate var isOutOfSpace: Bool {
        guard case .failure(let error) = self else { return false }
        return error.code == .noSpace
    }
}
