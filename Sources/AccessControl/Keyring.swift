import ArtifactModel
import Crypto
import StorageAPI
import Synchronization

/// The installation's secrets by purpose. The newest signs; older ones are believed until they are dropped.
final class Keyring: Sendable {
    enum Purpose: String, Sendable, CaseIterable {
        /// Rotated: what it signs lives for minutes.
        case ticket
        case session
        /// Never rotated by itself: what it signs is kept by clients for as long as their user keeps the password.
        case renewal

        var age: Duration? {
            switch self {
            case .ticket, .session: .seconds(30 * 86_400)
            case .renewal: nil
            }
        }
        /// What was signed with a key that signs no more is still believed for as long as it may last.
        var lifetime: Duration {
            switch self {
            case .ticket: .seconds(3600)
            case .session: .seconds(86_400)
            case .renewal: .zero
            }
        }
    }

    private let ledger: any KeyLedger
    private let now: WallClock
    private let keys = Mutex<[Purpose: [KeyRecord]]>([:])

    init(_ ledger: any KeyLedger, now: @escaping WallClock) {
        self.ledger = ledger
        self.now = now
    }

    /// Reads the keys, makes those that are missing, and rotates those that are old. At the start, and every hour.
    func refresh() async throws(MetadataError) {
        for purpose in Purpose.allCases {
            var known = try await self.ledger.keys(for: purpose.rawValue)
            if known.first.map({ self.isOld($0, purpose) }) ?? true {
                let key = KeyRecord(
                    id: Base64.urlText(Randomness.bytes(9)), purpose: purpose.rawValue, secret: Randomness.bytes(32), created: self.now())
                let oldest = purpose.age.map { self.now() - $0 - purpose.lifetime - .seconds(86_400) } ?? Timestamp(milliseconds: 0)
                // Another process may have been faster: then its key is read.
                _ = try await self.ledger.add(key, after: known.first?.id, dropping: oldest)
                known = try await self.ledger.keys(for: purpose.rawValue)
            }
            self.keys.withLock { [known] in $0[purpose] = known }
        }
    }

    private func isOld(_ key: KeyRecord, _ purpose: Purpose) -> Bool { purpose.age.map { self.now() - key.created > $0 } ?? false }

    /// nil: `refresh` has not been through yet.
    func signing(_ purpose: Purpose) -> (id: String, key: SymmetricKey)? {
        self.keys.withLock { $0[purpose]?.first }.map { ($0.id, SymmetricKey(data: $0.secret)) }
    }

    /// nil: no such key, or one whose last signature has ended.
    func believed(_ id: Substring, _ purpose: Purpose) -> SymmetricKey? {
        guard let keys = self.keys.withLock({ $0[purpose] }), let place = keys.firstIndex(where: { $0.id == id }) else { return nil }
        if place > 0, let age = purpose.age, self.now() - keys[place].created > age + purpose.lifetime { return nil }
        return SymmetricKey(data: keys[place].secret)
    }
}

/// Text with a signature, for one purpose: `<key>.<payload>.<HMAC-SHA-256>`, the last two in Base64 for URLs.
struct SealedText {
    static let longest = 4096

    static func text(_ payload: [UInt8], _ purpose: Keyring.Purpose, _ keyring: Keyring) -> String? {
        guard let (id, key) = keyring.signing(purpose) else { return nil }
        let body = "\(id).\(Base64.urlText(payload))"
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(purpose.rawValue):\(body)".utf8), using: key)
        return "\(body).\(Base64.urlText(code))"
    }

    /// nil: not signed by us for this.
    static func payload(_ text: Substring, _ purpose: Keyring.Purpose, _ keyring: Keyring) -> [UInt8]? {
        guard text.utf8.count <= Self.longest else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let key = keyring.believed(parts[0], purpose), let code = Base64.urlBytes(parts[2]) else { return nil }
        let signed = Array("\(purpose.rawValue):\(parts[0]).\(parts[1])".utf8)
        guard HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: signed, using: key) else { return nil }
        return Base64.urlBytes(parts[1])
    }
}
