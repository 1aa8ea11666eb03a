public import ArtifactModel
public import RepositoryEngine
public import StorageAPI

/// Removes bytes that nothing references, while the server runs: in slices, so that no writer waits long.
///
/// A slice: mark what is unreferenced and unheld, unlink each, remove the rows. A process that dies in between leaves marked rows, and
/// the next run begins with them.
public struct Collector: Sendable {
    public struct Freed: Hashable, Sendable {
        public var blobs = 0
        /// In bytes.
        public var bytes: Int64 = 0
        public init() {}
    }

    static let slice = 500
    private let shelf: BlobShelf
    private let ledger: any BlobLedger
    private let now: WallClock

    public init(_ shelf: BlobShelf, ledger: any BlobLedger, now: @escaping WallClock) {
        self.shelf = shelf
        self.ledger = ledger
        self.now = now
    }

    /// - Throws: `MetadataError`, `BlobStoreError`; what was freed until then stays freed.
    public func run() async throws -> Freed {
        var freed = Freed()
        try await self.removeDoomed(&freed)
        var after: Int64 = 0
        while !Task.isCancelled {
            let slice = try await self.ledger.doom(in: self.shelf.id, after: after, limit: Self.slice, now: self.now())
            try await self.remove(slice.blobs, &freed)
            guard let next = slice.next else { break }
            after = next
        }
        try await self.shelf.recount()
        return freed
    }

    /// What an earlier process marked and did not come to remove.
    private func removeDoomed(_ freed: inout Freed) async throws {
        while !Task.isCancelled {
            let left = try await self.ledger.doomed(in: self.shelf.id, limit: Self.slice)
            guard !left.isEmpty else { return }
            try await self.remove(left, &freed)
        }
    }

    private func remove(_ blobs: [DoomedBlob], _ freed: inout Freed) async throws {
        guard !blobs.isEmpty else { return }
        for blob in blobs { try await self.shelf.store.delete(blob.digest) }
        try await self.ledger.forget(blobs.map(\.id))
        freed.blobs += blobs.count
        freed.bytes += blobs.reduce(0) { $0 + $1.size }
    }
}
