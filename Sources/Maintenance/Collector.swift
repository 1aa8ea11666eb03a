public import ArtifactModel
public import RepositoryEngine
public import StorageAPI

/// Removes bytes that nothing references, while the server runs: in slices, so that no writer waits long.
///
/// A slice: mark what is unreferenced and unheld, unlink each, remove the rows. A process that dies in between leaves marked rows, and
/// the next run begins with them. One collection of a store at a time (`BlobShelf.collecting`): a second one would see the first one's
/// marks, and unlink bytes that a writer has brought back since.
public struct Collector: Sendable {
    public struct Freed: Hashable, Sendable {
        public var blobs = 0
        /// In bytes.
        public var bytes: Int64 = 0
        /// Links to bytes that nothing used, removed before the bytes were looked at.
        public var parts = 0
        public init() {}

        static func += (sum: inout Freed, part: Freed) {
            sum.blobs += part.blobs
            sum.bytes += part.bytes
            sum.parts += part.parts
        }
    }

    /// How far a run came.
    public struct Progress: Hashable, Sendable {
        /// That are through, with those of a dead process.
        public var slices = 0
        public var freed = Freed()
    }

    /// What one run came to: what went, and the first blob that would not.
    private struct Outcome: Sendable {
        var freed = Freed()
        var slices = 0
        var failure: (any Error)?

        var progress: Progress { Progress(slices: self.slices, freed: self.freed) }
    }

    static let slice = 500
    var store: BlobStoreID { self.shelf.id }
    private let shelf: BlobShelf
    private let ledger: any BlobLedger
    private let now: WallClock

    public init(_ shelf: BlobShelf, ledger: any BlobLedger, now: @escaping WallClock) {
        self.shelf = shelf
        self.ledger = ledger
        self.now = now
    }

    /// Waits for a collection of the same store that runs already.
    /// - Parameter progress: told after each slice.
    /// - Throws: `MetadataError`; `BlobStoreError` where some bytes would not go, after everything else was tried. What was freed stays freed.
    public func run(progress tell: (Progress) -> Void = { _ in }) async throws -> Freed {
        try await self.shelf.collecting {
            // The first round after a start is the first to count, and figures should not wait until it ends.
            if self.shelf.used == nil { try await self.shelf.recount() }
            var outcome = Outcome()
            try await self.removeDoomed(&outcome, tell)
            var after: Int64? = 0
            while let start = after, !Task.isCancelled {
                after = try await self.removeSlice(after: start, &outcome)
                tell(outcome.progress)
            }
            try await self.shelf.recount()
            if let failure = outcome.failure { throw failure }
            return outcome.freed
        }
    }

    /// What an earlier process marked and did not come to remove.
    private func removeDoomed(_ outcome: inout Outcome, _ tell: (Progress) -> Void) async throws {
        var after: Int64 = 0
        while !Task.isCancelled {
            let left = try await self.ledger.doomed(in: self.shelf.id, after: after, limit: Self.slice)
            guard let last = left.last else { return }
            outcome = try await self.uncancelled(outcome) { outcome in try await self.remove(left, &outcome) }
            after = last.id
            tell(outcome.progress)
        }
    }

    private func removeSlice(after start: Int64, _ outcome: inout Outcome) async throws -> Int64? {
        let now = self.now()
        let (next, result) = try await self.uncancelled((nil as Int64?, outcome)) { state in
            let slice = try await self.ledger.doom(in: self.shelf.id, after: start, limit: Self.slice, now: now)
            try await self.remove(slice.blobs, &state.1)
            state.0 = slice.next
        }
        outcome = result
        return next
    }

    /// A slice that is marked must be finished, or writers of its digests wait for the next run. So it goes on when its asker hangs up or
    /// the server drains: a task that nobody cancels, awaited here, which ends with the slice, at most 500 unlinks later.
    private func uncancelled<State: Sendable>(_ state: State, _ work: @escaping @Sendable (inout State) async throws -> Void) async throws -> State {
        // As said above: awaited at once, and bounded.
        try await Task {
            var state = state
            try await work(&state)
            return state
        }.value
    }

    /// One blob that cannot be unlinked must not keep the others: its row stays marked, and the next run tries again.
    private func remove(_ blobs: [DoomedBlob], _ outcome: inout Outcome) async throws {
        var gone: [DoomedBlob] = []
        for blob in blobs {
            do {
                try await self.shelf.store.delete(blob.digest)
                gone.append(blob)
            } catch {
                outcome.failure = outcome.failure ?? error
            }
        }
        try await self.ledger.forget(gone.map(\.id))
        outcome.slices += 1
        outcome.freed.blobs += gone.count
        outcome.freed.bytes += gone.reduce(0) { $0 + $1.size }
    }
}
