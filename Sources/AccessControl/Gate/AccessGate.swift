import ArtifactModel
public import StorageAPI
import Synchronization

/// Access control as the configuration wants it: who comes is asked for by password, token, ticket, renewal or session.
///
/// What was verified is remembered for at most a minute, and never beyond its own end: a request that brings it again costs some microseconds on its
/// own thread. What is changed through this process counts at once, what another process changes within that minute.
///
/// Failures are told apart by no more than this: known and over, unknown, wait. An unknown name costs the hash that a known one costs.
///
/// `+Passwords` verifies and makes wait, `+Signatures` is what this server signs itself.
public final class AccessGate: Gatekeeper {
    struct SharedKey: Hashable, Sendable {
        var credentials: VerifiedCache.Key
        var client: ClientBlock
        /// Of the cache: who comes after a change does not wait for what was begun before it.
        var drops: Int
    }

    let policy: AccessPolicy
    let directory: Directory
    let ledger: any AccountLedger & TokenLedger & KeyLedger
    let hasher: PasswordHasher
    let keys: KeyRing
    let time: AccessTime
    let random: RandomSource
    let authenticators: [any Authenticator]
    let cache: VerifiedCache
    let shared = SharedVerification<SharedKey, Principal>()
    let backOff = Mutex(BackOff())
    let keysRead = Mutex<Duration?>(nil)
    /// When tokens were used; `AccessService` writes it down.
    public let uses = TokenUseBook()

    /// Reads the keys that this installation signs with, and makes those that are missing.
    /// - Parameter further: asked after this server's own users and before a name counts as unknown.
    public static func open(
        _ policy: AccessPolicy, ledger: any AccountLedger & TokenLedger & KeyLedger, hasher: PasswordHasher, time: AccessTime,
        random: @escaping RandomSource = SystemRandomNumberGenerator.bytes, further: [any Authenticator] = []
    ) async throws(MetadataError) -> AccessGate {
        let keys = try await KeyRing.open(ledger, now: time.now(), random: random)
        return AccessGate(policy, ledger: ledger, hasher: hasher, keys: keys, time: time, random: random, further: further)
    }

    private init(
        _ policy: AccessPolicy, ledger: any AccountLedger & TokenLedger & KeyLedger, hasher: PasswordHasher, keys: KeyRing, time: AccessTime,
        random: @escaping RandomSource, further: [any Authenticator]
    ) {
        let directory = Directory(policy, ledger: ledger)
        self.policy = policy
        self.directory = directory
        self.ledger = ledger
        self.hasher = hasher
        self.keys = keys
        self.time = time
        self.random = random
        self.authenticators =
            [
                TokenAuthenticator(directory: directory, ledger: ledger, now: time.now), StaticUserAuthenticator(directory: directory, hasher: hasher),
                AccountAuthenticator(directory: directory, hasher: hasher),
            ] + further
        self.cache = VerifiedCache(secret: random(32))
    }

    public var isOpen: Bool { false }
    public var anonymous: Principal { .anonymous(roles: self.policy.anonymousRoles ?? []) }

    public func principal(for credentials: Credentials, from client: String, audience: String) async throws(AccessFailure) -> Principal {
        let key: VerifiedCache.Key
        switch credentials {
        case .none: return self.anonymous
        case .unreadable: throw .wrong
        case .basic(let name, let secret): key = self.cache.key("b", name, secret)
        case .bearer(let text) where TokenAuthenticator.isMeant(text): key = self.cache.key("t", text, "")
        case .bearer(let text): key = self.cache.key("j", audience, text)
        }
        if let known = self.cache.principal(key, at: self.time.uptime()) {
            self.noteUse(known, from: client)
            return known
        }
        let drops = self.cache.drops
        let shared = SharedKey(credentials: key, client: ClientBlock(client), drops: drops)
        let principal = try await self.shared.value(shared) { () throws(AccessFailure) in
            let verified = try await self.verify(credentials, from: client, audience: audience)
            self.keep(verified, key, drops: drops)
            return verified.principal
        }
        self.noteUse(principal, from: client)
        return principal
    }

    /// Forgets what was verified for a user: an account that was changed or removed.
    func forget(_ name: AccountName) { self.cache.drop { ByteText.equal($0.name, name.text) } }

    /// Forgets what hangs on a token that was revoked.
    func forget(token id: Int64) { self.cache.drop { $0.basis == .token(id: id) } }
}

/// What came of a verification.
struct Verified: Sendable {
    var principal: Principal
    /// nil: it has no end of its own.
    var expires: Timestamp?
}

extension AccessGate {
    /// With every role that counts for it.
    func verified(_ identity: Identity) -> Verified {
        let roles = self.policy.effectiveRoles(identity.roles, of: identity.name)
        let principal = Principal(name: identity.name.text, roles: roles, means: identity.means, limits: identity.limits, basis: identity.basis)
        return Verified(principal: principal, expires: identity.expires)
    }

    /// - Parameter drops: as it was before anything of this was read.
    func keep(_ verified: Verified, _ key: VerifiedCache.Key, drops: Int) {
        let left = verified.expires.map { $0 - self.time.now() } ?? VerifiedCache.longest
        self.cache.keep(verified.principal, key, until: self.time.uptime() + min(left, VerifiedCache.longest), drops: drops)
    }

    func noteUse(_ principal: Principal, from client: String) {
        guard case .token(let id, _) = principal.means else { return }
        self.uses.note(id, at: self.time.now(), from: client)
    }
}
