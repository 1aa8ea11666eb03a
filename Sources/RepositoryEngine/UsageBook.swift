public import ArtifactModel
public import StorageAPI
import Synchronization

/// Which files are used: folded in memory, and written down now and then, at most once an hour for each file.
///
/// Bounded. Where more files are used in an hour than fit, some are written sooner; where more are used between two flushes, the uses of those
/// beyond are lost, which costs a cache an order that is a little less right.
public final class UsageBook: Sendable {
    private struct Key: Hashable, Sendable {
        var repository: RepositoryID
        var path: AssetPath
    }
    private struct Entry: Sendable {
        var lastUsed: Timestamp
        /// That are not written down.
        var downloads: Int64
        /// When it was written down last, and up to which use.
        var written: (at: Timestamp, use: Timestamp)?

        var isWritten: Bool { self.downloads == 0 && self.written?.use == self.lastUsed }
    }
    private struct State: Sendable {
        var entries: [Key: Entry] = [:]
        var readers: [Key: Int] = [:]
    }

    /// What a file's row is written at most once in.
    static let fold = Duration.seconds(3600)
    /// Of one transaction.
    static let batch = 200
    private let capacity: Int
    private let state = Mutex(State())
    /// Wakes whoever flushes.
    private let signal: AsyncStream<Void>.Continuation
    /// Gives an element when the book is about to be full. For one reader.
    public let isFilling: AsyncStream<Void>

    /// - Parameter capacity: files that are known at a time.
    public init(capacity: Int = 65_536) {
        self.capacity = capacity
        (self.isFilling, self.signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func note(_ path: AssetPath, in repository: RepositoryID, now: Timestamp, downloads: Int64) {
        let count = self.state.withLock { state in
            let key = Key(repository: repository, path: path)
            if var entry = state.entries[key] {
                entry.lastUsed = max(entry.lastUsed, now)
                entry.downloads += downloads
                state.entries[key] = entry
                return 0
            }
            guard state.entries.count < self.capacity else { return 0 }
            state.entries[key] = Entry(lastUsed: now, downloads: downloads)
            return state.entries.count
        }
        if count == self.capacity / 4 * 3 { self.signal.yield() }
    }

    // MARK: Who reads

    func reading(_ path: AssetPath, in repository: RepositoryID) -> Reading {
        let key = Key(repository: repository, path: path)
        self.state.withLock { $0.readers[key, default: 0] += 1 }
        return Reading { [weak self] in
            self?.state.withLock { state in
                state.readers[key] = state.readers[key].flatMap { $0 > 1 ? $0 - 1 : nil }
            }
        }
    }

    func isRead(_ path: AssetPath, in repository: RepositoryID) -> Bool {
        self.state.withLock { $0.readers[Key(repository: repository, path: path)] != nil }
    }

    // MARK: Writing down

    /// Writes what is due: what was never written, and what was written an hour ago and used since.
    /// - Parameter everything: of the repository, or of all where none is named, also what is not due yet.
    /// - Throws: `MetadataError`; what was not written stays for the next time.
    public func flush(to ledger: any UsageLedger, now: Timestamp, everything: Bool = false, of repository: RepositoryID? = nil) async throws {
        var due = self.due(now, everything: everything, of: repository)[...]
        while !due.isEmpty {
            let batch = Array(due.prefix(Self.batch))
            try await ledger.note(batch)
            self.noted(batch, now)
            due = due.dropFirst(Self.batch)
        }
        self.shrink(now)
    }

    private func due(_ now: Timestamp, everything: Bool, of repository: RepositoryID?) -> [AssetUse] {
        self.state.withLock { state in
            let isTight = state.entries.count > self.capacity / 2
            return state.entries.compactMap { key, entry in
                guard !entry.isWritten, repository == nil || key.repository == repository else { return nil }
                guard everything || isTight || entry.written.map({ now - $0.at >= Self.fold }) ?? true else { return nil }
                return AssetUse(repository: key.repository, path: key.path, lastUsed: entry.lastUsed, downloads: entry.downloads)
            }
        }
    }

    private func noted(_ uses: [AssetUse], _ now: Timestamp) {
        self.state.withLock { state in
            for use in uses {
                let key = Key(repository: use.repository, path: use.path)
                // It may have been used again since.
                state.entries[key]?.downloads -= use.downloads
                state.entries[key]?.written = (now, use.lastUsed)
            }
        }
    }

    /// What is written need not be known any longer than it keeps from being written again; where there are many, not so long.
    private func shrink(_ now: Timestamp) {
        self.state.withLock { state in
            let isTight = state.entries.count > self.capacity / 2
            state.entries = state.entries.filter { _, entry in
                !entry.isWritten || !isTight && entry.written.map { now - $0.at < Self.fold } ?? false
            }
        }
    }
}

/// Lasts as long as somebody reads; letting go of it ends it.
final class Reading: Sendable {
    private let end: @Sendable () -> Void
    init(end: @escaping @Sendable () -> Void) { self.end = end }
    deinit { self.end() }
}

/// A file that counts as being read for as long as this is held.
struct UsedContent: ContentSource {
    private let source: any ContentSource
    private let reading: Reading

    init(_ source: any ContentSource, _ reading: Reading) {
        self.source = source
        self.reading = reading
    }

    var length: Int64? { self.source.length }
    /// An open file stays, whatever becomes of its name.
    var whole: ContentPiece? { self.source.whole }
    func next(at offset: Int64, limit: Int64) async throws -> ContentPiece? { try await self.source.next(at: offset, limit: limit) }
    func redirect(lifetime: Duration) async throws -> String? { try await self.source.redirect(lifetime: lifetime) }
}
