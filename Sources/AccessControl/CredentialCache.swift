import Crypto
import Synchronization

/// Who was verified within the last minute, by a keyed hash of what they showed: the secrets themselves are nowhere.
///
/// A change of an account drops what is remembered of it; what was being verified meanwhile is not remembered.
final class CredentialCache: Sendable {
    static let longest = Duration.seconds(60)

    struct Key: Hashable, Sendable {
        fileprivate let words: SIMD4<UInt64>
    }
    private struct Entry: Sendable {
        var principal: Principal
        var until: Duration
    }
    private struct State {
        var epoch: UInt64 = 0
        /// The older half goes as a whole when the younger is full.
        var young: [Key: Entry] = [:]
        var old: [Key: Entry] = [:]
    }

    private let key = SymmetricKey(size: .bits256)
    private let half: Int
    private let state = Mutex(State())

    init(capacity: Int = 16_384) { self.half = max(1, capacity / 2) }

    func key(_ kind: UInt8, _ texts: String...) -> Key {
        var code = HMAC<SHA256>(key: self.key)
        code.update(data: [kind])
        for text in texts {
            var text = text
            text.withUTF8 { bytes in
                withUnsafeBytes(of: UInt64(bytes.count)) { code.update(data: $0) }
                code.update(data: bytes)
            }
        }
        return code.finalize().withUnsafeBytes { Key(words: $0.loadUnaligned(as: SIMD4<UInt64>.self)) }
    }

    func principal(_ key: Key, now: Duration) -> Principal? {
        self.state.withLock { state in
            guard let entry = state.young[key] ?? state.old[key], entry.until > now else { return nil }
            return entry.principal
        }
    }

    /// To be taken before what is looked up is looked up.
    var epoch: UInt64 { self.state.withLock { $0.epoch } }

    func keep(_ principal: Principal, _ key: Key, until: Duration, since epoch: UInt64) {
        self.state.withLock { state in
            guard state.epoch == epoch else { return }
            if state.young.count >= self.half { (state.old, state.young) = (state.young, [:]) }
            state.young[key] = Entry(principal: principal, until: until)
        }
    }

    /// Everybody's: changes are rare, and verifying again is cheap but for passwords.
    func drop(where isGone: @Sendable (Principal) -> Bool) {
        self.state.withLock { state in
            state.epoch += 1
            state.young = state.young.filter { !isGone($0.value.principal) }
            state.old = state.old.filter { !isGone($0.value.principal) }
        }
    }
}
