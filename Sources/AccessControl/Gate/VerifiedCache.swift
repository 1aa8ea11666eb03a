import Crypto
import Synchronization

/// What was verified lately, so that a client that sends its password with every request has it hashed once a minute.
///
/// Keyed by an HMAC of what was brought, under a key that only this process has: what is in memory says nothing of a password, and nobody can
/// work out two credentials that fall together. Bounded: it is two halves, and where the younger is full, the older is forgotten; what is asked for
/// moves into the younger. A look-up is an HMAC and a read under a lock, some microseconds, on whatever thread asks.
final class VerifiedCache: Sendable {
    static let longest = Duration.seconds(60)

    struct Key: Hashable, Sendable {
        fileprivate let words: (UInt64, UInt64, UInt64, UInt64)
        static func == (a: Self, b: Self) -> Bool { a.words == b.words }
        func hash(into hasher: inout Hasher) { hasher.combine(self.words.0) }
    }
    private struct Entry: Sendable {
        var principal: Principal
        var until: Duration
    }
    private struct State: Sendable {
        var young: [Key: Entry] = [:]
        var old: [Key: Entry] = [:]
        /// How often something was dropped: what was read before is not kept after.
        var drops = 0
    }

    private let half: Int
    private let mac: HMAC<SHA256>
    private let state = Mutex(State())

    /// - Parameter secret: of this process alone.
    init(capacity: Int = 16_384, secret: [UInt8]) {
        self.half = max(1, capacity / 2)
        self.mac = HMAC<SHA256>(key: SymmetricKey(data: secret))
    }

    /// - Parameter kind: one letter for each sort of credential, so that no text counts as two.
    func key(_ kind: Unicode.Scalar, _ first: String, _ second: String) -> Key {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(first.utf8.count + second.utf8.count + 9)
        bytes.append(UInt8(ascii: kind))
        withUnsafeBytes(of: first.utf8.count) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: first.utf8)
        bytes.append(contentsOf: second.utf8)
        var mac = self.mac
        mac.update(data: bytes)
        return mac.finalize().withUnsafeBytes { digest in
            // SHA-256 has 32 bytes.
            func word(_ at: Int) -> UInt64 { digest.loadUnaligned(fromByteOffset: at * 8, as: UInt64.self) }
            return Key(words: (word(0), word(1), word(2), word(3)))
        }
    }

    func principal(_ key: Key, at now: Duration) -> Principal? {
        self.state.withLock { state in
            if let entry = state.young[key] { return entry.until > now ? entry.principal : nil }
            guard let entry = state.old.removeValue(forKey: key), entry.until > now else { return nil }
            self.insert(entry, key, &state)
            return entry.principal
        }
    }

    /// To be asked for before what is to be kept is read.
    var drops: Int { self.state.withLock { $0.drops } }

    /// - Parameter drops: as it was before; where something was dropped since, this is not kept.
    func keep(_ principal: Principal, _ key: Key, until: Duration, drops: Int) {
        self.state.withLock { state in
            guard state.drops == drops else { return }
            state.old[key] = nil
            self.insert(Entry(principal: principal, until: until), key, &state)
        }
    }

    func drop(where isMeant: (Principal) -> Bool) {
        self.state.withLock { state in
            state.drops += 1
            state.young = state.young.filter { !isMeant($0.value.principal) }
            state.old = state.old.filter { !isMeant($0.value.principal) }
        }
    }

    private func insert(_ entry: Entry, _ key: Key, _ state: inout State) {
        if state.young.count >= self.half { (state.old, state.young) = (state.young, [:]) }
        state.young[key] = entry
    }
}
