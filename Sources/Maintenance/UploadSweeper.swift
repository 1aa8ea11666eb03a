public import ArtifactModel
public import RepositoryEngine
public import StorageAPI

/// Removes uploads that were abandoned: sessions past their time, and bytes that no session knows (a request that died with its process).
public struct UploadSweeper: Sendable {
    private let book: UploadBook
    private let ledger: any UploadLedger
    private let shelves: [BlobShelf]
    private let repositories: [RepositoryID: BlobShelf]
    private let patience: Duration
    private let born: Timestamp?
    private let now: WallClock

    /// - Parameters:
    ///   - patience: how long bytes without a session are left alone: longer than any request stays silent.
    ///   - born: when the process that alone writes to the stores began; nil: it is not alone. What is older, and no session's, was a dead
    ///     process' request or download, and goes at once.
    public init(
        book: UploadBook, ledger: any UploadLedger, repositories: [Repository], shelves: [BlobShelf], patience: Duration = .seconds(24 * 3600),
        born: Timestamp? = nil, now: @escaping WallClock
    ) {
        self.book = book
        self.ledger = ledger
        self.shelves = shelves
        self.repositories = Dictionary(repositories.map { ($0.id, $0.shelf) }, uniquingKeysWith: { first, _ in first })
        self.patience = patience
        // The kernel stamps files by a clock that lags some milliseconds.
        self.born = born.map { $0 - .seconds(1) }
        self.now = now
    }

    /// - Returns: how many uploads are gone.
    public func run() async throws -> Int {
        try await self.closeExpired() + self.discardOrphans()
    }

    private func closeExpired() async throws -> Int {
        var closed = 0
        let now = self.now()
        let expired = try await self.ledger.expired(before: now, limit: 1000)
        for record in expired {
            // A repository that left the configuration has no shelf here; its bytes are orphans of their store.
            guard let shelf = self.repositories[record.repository] else {
                try await self.ledger.close(record.id)
                continue
            }
            if try await self.book.close(record.id, discardingIn: shelf.store, expiredBefore: now) { closed += 1 }
        }
        return closed
    }

    private func discardOrphans() async throws -> Int {
        var discarded = 0
        let moment = max(self.now() - self.patience, self.born ?? Timestamp(milliseconds: 0))
        for shelf in self.shelves {
            for id in try await shelf.store.uploads(untouchedSince: moment) where try await self.ledger.upload(id) == nil {
                try await shelf.store.discard(id)
                discarded += 1
            }
        }
        return discarded
    }
}
