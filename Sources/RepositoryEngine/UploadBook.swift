public import ArtifactModel
public import StorageAPI
import Synchronization

/// Uploads of several requests: the ledger knows which there are, across restarts; this knows which are being written to now, and how far
/// each has been hashed.
public final class UploadBook: Sendable {
    /// What need not be hashed again when a session goes on.
    struct Progress: Sendable {
        var hasher: MultiHasher?
        var length: Int64
    }
    private enum Entry: Sendable {
        case idle(Progress)
        case busy
    }

    let ledger: any UploadLedger
    /// How long a session is kept after it was last written to.
    let lifetime: Duration
    private let now: WallClock
    private let entries = Mutex<[UploadID: Entry]>([:])

    public init(ledger: any UploadLedger, lifetime: Duration = .seconds(24 * 3600), now: @escaping WallClock) {
        self.ledger = ledger
        self.lifetime = lifetime
        self.now = now
    }

    func open(_ id: UploadID, in repository: RepositoryID, scope: String, owner: String) async throws {
        let record = UploadRecord(id: id, repository: repository, scope: scope, owner: owner, expires: self.now() + self.lifetime)
        try await self.ledger.open(record)
        self.entries.withLock { $0[id] = .idle(Progress(hasher: MultiHasher([]), length: 0)) }
    }

    /// Moves the expiry once half of the lifetime has passed, so that a session of many chunks costs few commits.
    func touch(_ record: UploadRecord) async throws {
        let now = self.now()
        guard record.expires - now < self.lifetime / 2 else { return }
        try await self.ledger.extend(record.id, until: now + self.lifetime)
    }

    /// Makes the caller the session's one writer. Give it back by `release` or `forget`.
    /// - Returns: nil where somebody else writes.
    func claim(_ id: UploadID) -> Progress?? {
        self.entries.withLock { entries in
            switch entries[id] {
            case .busy: return nil
            case .idle(let progress):
                entries[id] = .busy
                return .some(progress)
            case nil:
                entries[id] = .busy
                return .some(nil)
            }
        }
    }

    /// - Parameter progress: nil: the bytes are to be looked at anew.
    func release(_ id: UploadID, _ progress: Progress?) {
        self.entries.withLock { $0[id] = progress.map(Entry.idle) }
    }

    /// The length that was acknowledged last, where this process knows it.
    func length(of id: UploadID) -> Int64? {
        self.entries.withLock { entries in
            guard case .idle(let progress) = entries[id] else { return nil }
            return progress.length
        }
    }

    /// Ends what the ledger says is over. A session that is just being written to is left for the next time.
    /// - Parameter expiredBefore: only where it still is expired by then: it may have gone on since the list was read.
    /// - Returns: whether it is gone.
    public func close(_ id: UploadID, discardingIn store: any BlobStore, expiredBefore: Timestamp? = nil) async throws -> Bool {
        guard case .some(let progress) = self.claim(id) else { return false }
        var left = progress
        defer { self.release(id, left) }
        if let expiredBefore, let record = try await self.ledger.upload(id), record.expires >= expiredBefore { return false }
        left = nil
        try await store.discard(id)
        try await self.ledger.close(id)
        return true
    }
}
