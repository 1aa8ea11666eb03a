public import ArtifactModel

/// What a verification reads of blobs, and the corrections that it makes. Beside `BlobLedger`, which is the way of every write.
public protocol BlobAudit: Sendable {
    /// Rows in the order of their digests, after `digest`.
    func blobs(in store: BlobStoreID, after digest: ContentDigest?, limit: Int) async throws(MetadataError) -> [BlobRow]
    /// - Parameter digest: SHA-256.
    func blob(_ digest: ContentDigest, in store: BlobStoreID) async throws(MetadataError) -> BlobRow?
    /// What names the blob: all counted, at most `limit` named.
    func referrers(of id: Int64, limit: Int) async throws(MetadataError) -> BlobReferrers
    /// Corrects a row. One that the collector has marked, or that is gone, stays as it is.
    func amend(_ id: Int64, _ amendment: BlobAmendment) async throws(MetadataError)
}

public struct BlobRow: Hashable, Sendable {
    /// `lost`: links to it are kept, and look-ups say that it is absent, until somebody brings the bytes again.
    public enum State: Int64, Hashable, Sendable { case there = 0, doomed = 1, lost = 2 }
    public var id: Int64
    public var digest: ContentDigest
    /// In bytes.
    public var size: Int64
    public var state: State
    public var heldUntil: Timestamp
    public init(id: Int64, digest: ContentDigest, size: Int64, state: State, heldUntil: Timestamp) {
        self.id = id
        self.digest = digest
        self.size = size
        self.state = state
        self.heldUntil = heldUntil
    }
}

public enum BlobAmendment: Hashable, Sendable {
    /// The bytes are there, and this many.
    case there(size: Int64)
    /// The bytes are gone or bad. Leases end with it: who held the blob before cannot link it any more.
    case lost
}

public struct BlobReferrers: Hashable, Sendable {
    public struct Place: Hashable, Sendable {
        public var repository: String
        public var path: String
        public init(repository: String, path: String) {
            self.repository = repository
            self.path = path
        }
    }
    public var count: Int64
    public var places: [Place]
    public init(count: Int64, places: [Place]) {
        self.count = count
        self.places = places
    }
}
