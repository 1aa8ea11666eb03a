import ArtifactModel
import StorageAPI
import Synchronization

/// The keys that this server signs with: one for each purpose that is used, and older ones that still count.
///
/// All processes of an installation share them by the database. The first one makes them; who finds one too old makes the next, and where
/// several do at the same time, one of them wins and the others take what it made.
final class KeyRing: Sendable {
    enum Purpose: String, Hashable, Sendable, CaseIterable {
        case ticket
        /// What clients keep to sign in again: a new key would have them all ask for passwords, so that none is made by itself.
        case renewal
        case session

        /// After which a new one is made.
        fileprivate var lifetime: Duration? { self == .renewal ? nil : .seconds(30 * 86_400) }
        /// For which an older one counts after that: longer than what it signed.
        fileprivate var grace: Duration { self == .session ? .seconds(13 * 3600) : .seconds(3600) }
    }

    private static let secretLength = 32
    /// Whoever loses to another process reads what that one made.
    private static let attempts = 8

    private let ledger: any KeyLedger
    private let random: RandomSource
    /// Newest first, never empty.
    private let keys: Mutex<[Purpose: [SigningKey]]>

    private init(ledger: any KeyLedger, random: @escaping RandomSource) {
        self.ledger = ledger
        self.random = random
        self.keys = Mutex([:])
    }

    static func open(_ ledger: any KeyLedger, now: Timestamp, random: @escaping RandomSource) async throws(MetadataError) -> KeyRing {
        let ring = KeyRing(ledger: ledger, random: random)
        try await ring.renew(now: now)
        return ring
    }

    /// What is signed with now.
    func newest(_ purpose: Purpose) -> SigningKey {
        self.keys.withLock { keys in
            // `open` returns a ring with one for each purpose, and none is ever taken away without another.
            guard let key = keys[purpose]?.first else { preconditionFailure("a key ring without a key for \(purpose)") }
            return key
        }
    }

    /// What counts when it has signed something, newest first.
    func accepted(_ purpose: Purpose, now: Timestamp) -> [SigningKey] {
        let keys = self.keys.withLock { $0[purpose] ?? [] }
        // Each but the newest counts for as long as `grace` says after the one that came next was made.
        return keys.enumerated().filter { $0.offset == 0 || keys[$0.offset - 1].created + purpose.grace > now }.map(\.element)
    }

    /// Reads what others made, and makes what is missing or due.
    /// - Returns: the purposes that got a new key here.
    @discardableResult
    func renew(now: Timestamp) async throws(MetadataError) -> [Purpose] {
        var made: [Purpose] = []
        for purpose in Purpose.allCases where try await self.renew(purpose, now: now) { made.append(purpose) }
        return made
    }

    func read(_ purpose: Purpose) async throws(MetadataError) {
        let records = try await self.ledger.keys(for: purpose.rawValue)
        if !records.isEmpty { self.keys.withLock { $0[purpose] = records.map(SigningKey.init) } }
    }

    private func renew(_ purpose: Purpose, now: Timestamp) async throws(MetadataError) -> Bool {
        for _ in 0..<Self.attempts {
            try await self.read(purpose)
            let newest = self.keys.withLock { $0[purpose]?.first }
            if let newest, purpose.lifetime.map({ newest.created + $0 > now }) ?? true { return false }
            let key = KeyRecord(
                id: RandomText.make(12, of: RandomText.all, self.random), purpose: purpose.rawValue, secret: self.random(Self.secretLength), created: now)
            // The one that was the newest still counts for a while; those before it do not.
            if try await self.ledger.add(key, after: newest?.id, dropping: newest?.created ?? now) {
                self.keys.withLock { $0[purpose] = [SigningKey(key)] + ($0[purpose]?.prefix(1) ?? []) }
                return true
            }
        }
        throw MetadataError(.busy, "no signing key could be made in \(Self.attempts) attempts, as others made some")
    }
}
