import ArtifactModel
import StorageAPI

/// Tells what holds were answered. A refusal is when a writer waits for the collector.
struct HoldAnswers: Sendable {
    private let stream: AsyncStream<Bool>
    private let told: AsyncStream<Bool>.Continuation
    init() { (self.stream, self.told) = AsyncStream.makeStream() }

    func tell(_ held: Bool) { self.told.yield(held) }
    /// The next answer that nobody has asked for yet.
    func next() async -> Bool? { await self.stream.first { _ in true } }
    func firstRefusal() async { _ = await self.stream.first { !$0 } }
}

struct WatchedLedger: BlobLedger {
    let ledger: any BlobLedger
    let answers: HoldAnswers

    func hold(_ digests: [ContentDigest], size: Int64, in store: BlobStoreID, now: Timestamp, until: Timestamp) async throws(MetadataError) -> Bool {
        let held = try await self.ledger.hold(digests, size: size, in: store, now: now, until: until)
        self.answers.tell(held)
        return held
    }
    func doom(in store: BlobStoreID, after id: Int64, limit: Int, now: Timestamp) async throws(MetadataError) -> DoomedSlice {
        try await self.ledger.doom(in: store, after: id, limit: limit, now: now)
    }
    func doomed(in store: BlobStoreID, after id: Int64, limit: Int) async throws(MetadataError) -> [DoomedBlob] {
        try await self.ledger.doomed(in: store, after: id, limit: limit)
    }
    func forget(_ ids: [Int64]) async throws(MetadataError) { try await self.ledger.forget(ids) }
    func size(of digest: ContentDigest, in store: BlobStoreID) async throws(MetadataError) -> Int64? { try await self.ledger.size(of: digest, in: store) }
    func totals(in store: BlobStoreID) async throws(MetadataError) -> BlobTotals { try await self.ledger.totals(in: store) }
}
