import ArtifactModel
import StorageAPI
import Synchronization

/// When tokens were used last, and from where: kept in memory, and written behind.
///
/// Of each token at most one use a minute is noted. Bounded: of more tokens than `capacity` within a minute the rest is not noted.
public final class TokenUseBook: Sendable {
    private struct Entry: Sendable {
        var use: TokenUse
        var isWritten = false
    }

    static let fold = Duration.seconds(60)
    /// Of one transaction.
    private static let batch = 200
    private let capacity: Int
    private let entries = Mutex<[Int64: Entry]>([:])

    init(capacity: Int = 16_384) { self.capacity = capacity }

    func note(_ token: Int64, at now: Timestamp, from client: String) {
        self.entries.withLock { entries in
            if let entry = entries[token], Self.isRecent(entry.use.at, now) { return }
            guard entries[token] != nil || entries.count < self.capacity else { return }
            entries[token] = Entry(use: TokenUse(token: token, at: now, address: client))
        }
    }

    /// A clock that was set back must not keep uses from being noted until it has caught up.
    private static func isRecent(_ time: Timestamp, _ now: Timestamp) -> Bool { now - time < Self.fold && time - now < Self.fold }

    /// - Throws: what was not written stays for the next time.
    func flush(to ledger: any TokenLedger, now: Timestamp) async throws(MetadataError) {
        var due = self.entries.withLock { $0.values.filter { !$0.isWritten }.map(\.use) }[...]
        while !due.isEmpty {
            let batch = Array(due.prefix(Self.batch))
            try await ledger.note(batch)
            self.entries.withLock { entries in
                for use in batch where entries[use.token]?.use == use { entries[use.token]?.isWritten = true }
            }
            due = due.dropFirst(Self.batch)
        }
        // Known as long as it keeps from noting again.
        self.entries.withLock { entries in entries = entries.filter { !$0.value.isWritten || Self.isRecent($0.value.use.at, now) } }
    }
}
