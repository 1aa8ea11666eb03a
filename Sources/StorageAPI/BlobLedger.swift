public import ArtifactModel

/// What the metadata knows about bytes: which blobs there are, who holds them, and which the collector has taken.
///
/// Order of a write: `hold` → bytes durable → rename → a commit that links them. Order of a delete: a commit that removes the last link,
/// then the collector: `doom` → unlink → `forget`. A start repeats the last two for `doomed` rows.
public protocol BlobLedger: Sendable {
    /// The collector's lease: the blob's row, made if need be, is not collected before `until`.
    /// - Returns: false: the collector owns it. Wait for the row to go, then call again.
    func hold(_ digests: [ContentDigest], size: Int64, in store: BlobStoreID, now: Timestamp, until: Timestamp) async throws(MetadataError) -> Bool
    /// Marks the unreferenced, unheld blobs among the next rows after `id`, about `limit`. Looks at more rows than it marks, and
    /// takes the write lock only where it has found some.
    func doom(in store: BlobStoreID, after id: Int64, limit: Int, now: Timestamp) async throws(MetadataError) -> DoomedSlice
    /// Blobs after `id` that were marked and not forgotten yet, by their ids.
    func doomed(in store: BlobStoreID, after id: Int64, limit: Int) async throws(MetadataError) -> [DoomedBlob]
    /// Removes marked rows, once their bytes are gone.
    func forget(_ ids: [Int64]) async throws(MetadataError)
    /// Of a blob that is there and not marked, in bytes; nil: there is none.
    func size(of digest: ContentDigest, in store: BlobStoreID) async throws(MetadataError) -> Int64?
    func totals(in store: BlobStoreID) async throws(MetadataError) -> BlobTotals
}

public struct DoomedBlob: Hashable, Sendable {
    public var id: Int64
    public var digest: ContentDigest
    public var size: Int64
    public init(id: Int64, digest: ContentDigest, size: Int64) {
        self.id = id
        self.digest = digest
        self.size = size
    }
}

public struct DoomedSlice: Hashable, Sendable {
    public var blobs: [DoomedBlob]
    /// Where the next slice begins; nil: that was the last.
    public var next: Int64?
    public init(blobs: [DoomedBlob], next: Int64?) {
        self.blobs = blobs
        self.next = next
    }
}

public struct BlobTotals: Hashable, Sendable {
    public var count: Int64
    public var bytes: Int64
    public init(count: Int64, bytes: Int64) {
        self.count = count
        self.bytes = bytes
    }
}
