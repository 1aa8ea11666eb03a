public import ArtifactModel
import FormatAPI
public import StorageAPI
import Synchronization

/// One blob store with its number, its quota, and what the metadata knows of it. The only way by which bytes become blobs.
public final class BlobShelf: Sendable {
    public let name: String
    public let id: BlobStoreID
    public let store: any BlobStore
    let ledger: any BlobLedger
    /// In bytes; nil: as much as there is space.
    let quota: Int64?
    private let grace: Duration
    private let now: WallClock
    private let counted = Mutex<Timestamp?>(nil)
    private let isCollecting = Mutex(false)
    private let usage = Mutex(Usage())
    let mends = MendedDigests()

    /// - Parameter grace: how long bytes are safe from the collector before something links them.
    public init(
        name: String, id: BlobStoreID, store: any BlobStore, ledger: any BlobLedger, quota: Int64? = nil, grace: Duration = .seconds(3600),
        now: @escaping WallClock
    ) {
        self.name = name
        self.id = id
        self.store = store
        self.ledger = ledger
        self.quota = quota
        self.grace = grace
        self.now = now
    }

    /// Refuses a body that cannot fit, before a byte of it is read.
    /// - Throws: `FormatError` `.quotaExceeded` or `.noSpace`.
    func admit(_ length: Int64?) async throws {
        let length = length ?? 0
        try await self.admitWithinQuota(length)
        // By subtraction: a declared length may be the largest number there is.
        if let space = try await self.store.space(), length > space.free - space.floor { throw self.full }
    }

    private var full: FormatError { FormatError(.noSpace, "the blob store «\(self.name)» has no space left for this") }

    /// How much of a body may be written before this is asked again, in bytes: other bodies arrive at the same time, and other processes write.
    /// - Throws: `FormatError` `.noSpace` where only what is left alone is left.
    func allowance() async throws -> Int64 {
        guard let space = try await self.store.space() else { return .max }
        let room = space.free - space.floor
        guard room > 0 else { throw self.full }
        return min(max(room / 4, 1 << 20), 4 << 20, room)
    }

    private func admitWithinQuota(_ length: Int64) async throws {
        guard let quota else { return }
        // Nobody has counted since the start: an answer without it would be wrong either way.
        if self.used == nil { try await self.recount() }
        guard length > quota - self.usedBytes else { return }
        // Counting reads a row for each blob: at most once a minute, however many are refused.
        let now = self.now()
        let stale = self.counted.withLock { last in
            guard last.map({ now - $0 > .seconds(60) }) ?? true else { return false }
            last = now
            return true
        }
        if stale { try await self.recount() }
        guard length <= quota - self.usedBytes else { throw self.overQuota }
    }

    /// How much more the quota allows, in bytes; nil: no quota. What is used is known by then: `admit` comes first.
    var room: Int64? { self.quota.map { max(0, $0 - self.usedBytes) } }

    private var usedBytes: Int64 { self.used?.bytes ?? 0 }

    var overQuota: FormatError {
        FormatError(.quotaExceeded, "the blob store «\(self.name)» has reached its quota; delete what is not needed, or raise quota")
    }

    /// What was counted last, and what came since: for figures and the quota. Bytes that came twice are counted twice until `recount`.
    /// nil: not counted since the start, which does not wait for it.
    public var used: BlobTotals? { self.usage.withLock { $0.totals } }

    /// What the metadata counts, which reads an index entry for each blob: for the collector's rounds, the operator's questions, and the
    /// first upload below a quota.
    @discardableResult
    public func recount() async throws -> BlobTotals {
        let arrived = self.usage.withLock { $0.arrived }
        let totals = try await self.ledger.totals(in: self.id)
        self.usage.withLock { $0.count(totals, arrivedBefore: arrived) }
        return totals
    }

    /// Runs `work` as the store's only collection; waits for one that runs already.
    /// - Throws: what `work` throws; `CancellationError` while waiting.
    public func collecting<Result: Sendable>(_ work: () async throws -> Result) async throws -> Result {
        while !self.isCollecting.withLock({ collecting in
            defer { collecting = true }
            return !collecting
        }) { try await Task.sleep(for: .milliseconds(100)) }
        defer { self.isCollecting.withLock { $0 = false } }
        return try await work()
    }

    /// Makes a finished upload a blob: hold, then bytes durable and renamed. What links it comes after.
    /// - Throws: `BlobStoreError`, `MetadataError`, or `FormatError` `.unavailable` where the collector does not let go of the digest.
    func keep(_ upload: UploadID, _ digests: [ContentDigest], size: Int64) async throws -> StagedBlob {
        // Again, as a length need not be declared.
        try await self.admitWithinQuota(size)
        guard let digest = digests.first(.sha256) else { throw BlobStoreError(.io, "a blob without SHA-256") }
        let until = try await self.mends.sealing(digest) {
            let until = try await self.hold(digests, size: size)
            try await self.store.seal(upload, as: digest, length: size, .durable)
            return until
        }
        self.usage.withLock { $0.add(size) }
        return StagedBlob(digests: digests, size: size, heldUntil: until, source: StoredBlob(digest: digest, size: size, store: self.store))
    }

    /// A blob that is here already, held for whoever links it; nil: it is not, or is just being removed.
    func held(_ digest: ContentDigest) async throws -> StagedBlob? {
        guard let size = try await self.ledger.size(of: digest, in: self.id) else { return nil }
        guard try await self.store.open(digest) != nil else { return nil }
        let now = self.now()
        guard try await self.ledger.hold([digest], size: size, in: self.id, now: now, until: now + self.grace) else { return nil }
        return StagedBlob(
            digests: [digest], size: size, heldUntil: now + self.grace, source: StoredBlob(digest: digest, size: size, store: self.store))
    }

    /// The collector owns a doomed row for as long as an unlink takes; 200 looks at 50 ms bound the wait.
    private func hold(_ digests: [ContentDigest], size: Int64) async throws -> Timestamp {
        for _ in 0..<200 {
            let now = self.now()
            if try await self.ledger.hold(digests, size: size, in: self.id, now: now, until: now + self.grace) { return now + self.grace }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw FormatError(.unavailable, "these bytes are just being removed; try again", retryAfter: .seconds(5))
    }
}

/// What a store holds: a count of the metadata, and what has arrived since that count began. What arrives while it runs may be in both,
/// never in neither: a quota is not passed by a race.
private struct Usage: Sendable {
    private var counted: BlobTotals?
    /// Of `arrived`, what came before the count began.
    private var before = BlobTotals(count: 0, bytes: 0)
    /// Since the process started.
    private(set) var arrived = BlobTotals(count: 0, bytes: 0)

    var totals: BlobTotals? {
        self.counted.map { counted in
            BlobTotals(count: counted.count + self.arrived.count - self.before.count, bytes: counted.bytes + self.arrived.bytes - self.before.bytes)
        }
    }

    mutating func add(_ size: Int64) { self.arrived = BlobTotals(count: self.arrived.count + 1, bytes: self.arrived.bytes + size) }

    mutating func count(_ totals: BlobTotals, arrivedBefore: BlobTotals) { (self.counted, self.before) = (totals, arrivedBefore) }
}

/// A blob that is opened when it is read.
struct StoredBlob: ContentSource {
    let digest: ContentDigest
    let size: Int64
    let store: any BlobStore

    var length: Int64? { self.size }

    func next(at offset: Int64, limit: Int64) async throws -> ContentPiece? {
        guard offset < self.size else { return nil }
        guard let source = try await self.store.open(self.digest) else { throw BlobStoreError(.notFound, "no bytes for \(self.digest)") }
        return try await source.next(at: offset, limit: limit)
    }
}
