public import ArtifactModel
public import StorageAPI
import Synchronization

/// Who somebody is, from the directories, tokens and signatures that this server knows.
///
/// What was verified within a minute is answered from memory, in microseconds and without leaving the caller's thread.
public final class AccessGate: Gatekeeper {
    let policy: AccessPolicy
    let directories: [any Authenticator]
    let tokens: any TokenLedger
    let keyring: Keyring
    let cache = CredentialCache()
    let uses = TokenUseBook()
    let now: WallClock
    private let desk: HashingDesk
    private let pool: any BlockingPool
    private let uptime: @Sendable () -> Duration
    private let backOff = Mutex(BackOff())
    private let checks = SharedChecks()

    /// - Parameters:
    ///   - further: directories beside the configuration's users and the database's, asked after them.
    ///   - pool: where passwords are hashed and tickets are read.
    ///   - uptime: grows steadily, whatever is done to the clock on the wall.
    public init(
        _ policy: AccessPolicy, accounts: any AccountLedger, tokens: any TokenLedger, keys: any KeyLedger, further: [any Authenticator] = [],
        pool: any BlockingPool, now: @escaping WallClock, uptime: @escaping @Sendable () -> Duration = AccessGate.steadyClock()
    ) {
        self.policy = policy
        self.directories = [ConfiguredUsers(policy: policy), StoredAccounts(ledger: accounts)] + further
        self.tokens = tokens
        self.keyring = Keyring(keys, now: now)
        self.desk = HashingDesk(pool)
        self.pool = pool
        self.now = now
        self.uptime = uptime
    }

    public static func steadyClock() -> @Sendable () -> Duration {
        let start = ContinuousClock.now
        return { ContinuousClock.now - start }
    }

    /// Reads or makes the signing keys. Before the first request.
    public func prepare() async throws(MetadataError) { try await self.keyring.refresh() }

    public var isOpen: Bool { false }
    public var anonymous: Principal { .anonymous(roles: self.policy.anonymousRoles) }

    public func principal(for credentials: Credentials, from client: String, audience: String) async throws(AccessFailure) -> Principal {
        let key: CredentialCache.Key
        switch credentials {
        case .none: return self.anonymous
        case .unreadable: throw Self.wrong
        case .basic(let name, let secret): key = self.cache.key(1, name, secret)
        case .bearer(let text): key = self.cache.key(2, text, audience)
        }
        if let known = self.cache.principal(key, now: self.uptime()) {
            self.noteUse(of: known, from: client)
            return known
        }
        let answer = await self.checks.run(key) { await self.verified(credentials, key, from: client, audience: audience) }
        let principal = try answer.get()
        self.noteUse(of: principal, from: client)
        return principal
    }

    private func verified(
        _ credentials: Credentials, _ key: CredentialCache.Key, from client: String, audience: String
    ) async -> Result<Principal, AccessFailure> {
        let epoch = self.cache.epoch
        do throws(AccessFailure) {
            let (principal, lifetime) = try await self.verify(credentials, from: client, audience: audience)
            self.cache.keep(principal, key, until: self.uptime() + min(lifetime, CredentialCache.longest), since: epoch)
            return .success(principal)
        } catch {
            return .failure(error)
        }
    }

    private func verify(
        _ credentials: Credentials, from client: String, audience: String
    ) async throws(AccessFailure) -> (Principal, lifetime: Duration) {
        switch credentials {
        case .none: return (self.anonymous, .zero)
        case .unreadable: throw Self.wrong
        case .basic(let name, let secret):
            return try await self.backingOff(BackOff.Pair(account: name, client: client)) { () throws(AccessFailure) in
                try await secret.hasPrefix(TokenText.prefix)
                    ? self.token(secret, usedBy: name) : (self.person(name, secret, from: client), CredentialCache.longest)
            }
        case .bearer(let text):
            return try await self.backingOff(BackOff.Pair(account: "", client: client), unless: { $0 == .expired }) { () throws(AccessFailure) in
                try await text.hasPrefix(TokenText.prefix) ? self.token(text, usedBy: nil) : self.ticket(text, audience: audience)
            }
        }
    }

    /// Failures count, and after some of them nothing is even looked up for a while.
    func backingOff<Answer>(
        _ pair: BackOff.Pair, unless isHarmless: (AccessFailure.Code) -> Bool = { _ in false }, _ work: () async throws(AccessFailure) -> Answer
    ) async throws(AccessFailure) -> Answer {
        if let delay = self.backOff.withLock({ $0.delay(pair, now: self.uptime()) }) {
            throw AccessFailure(.throttled, "too many failures to sign in from here; try again later", retryAfter: delay)
        }
        do {
            let answer = try await work()
            self.backOff.withLock { $0.succeeded(pair) }
            return answer
        } catch {
            switch error.code {
            case .wrong, .revoked, .expired:
                if !isHarmless(error.code) { self.backOff.withLock { $0.failed(pair, now: self.uptime()) } }
            case .throttled, .busy, .unavailable, .cancelled: break
            }
            throw error
        }
    }

    private func person(_ name: String, _ secret: String, from client: String) async throws(AccessFailure) -> Principal {
        let desk = self.desk
        let check: @Sendable (PasswordHash?) async throws(AccessFailure) -> Bool = { hash throws(AccessFailure) in
            // Whoever it is, one hash is computed.
            let isRight = try await desk.run(for: client) { try (hash ?? .nobodys).matches(secret) }
            return hash != nil && isRight
        }
        for directory in self.directories {
            switch try await directory.verify(name, secret, check: check) {
            case .right(let identity): return self.principal(identity, .password)
            case .wrong: throw Self.wrong
            case nil: continue
            }
        }
        _ = try await check(nil)
        throw Self.wrong
    }

    /// - Parameter name: the user name beside it, its owner's or `token`; nil: none was given.
    private func token(_ text: String, usedBy name: String?) async throws(AccessFailure) -> (Principal, lifetime: Duration) {
        guard let token = TokenText(text) else { throw Self.wrong }
        let record = try await self.asking { ledger throws(MetadataError) in try await ledger.token(hash: token.hash) }
        guard let record, name == nil || name == record.owner || name == "token" else { throw Self.wrong }
        let lifetime = try self.lifetime(of: record)
        guard let owner = try await self.identity(record.owner) else { throw Self.wrong }
        return (self.principal(owner, record), lifetime)
    }

    /// - Throws: `.revoked`, `.expired`.
    func lifetime(of token: TokenRecord) throws(AccessFailure) -> Duration {
        guard token.revoked == nil else { throw AccessFailure(.revoked, "the token «\(token.name)» was revoked") }
        guard let expires = token.expires else { return CredentialCache.longest }
        guard expires > self.now() else { throw AccessFailure(.expired, "the token «\(token.name)» has expired; make a new one") }
        return expires - self.now()
    }

    func principal(_ owner: Identity, _ token: TokenRecord) -> Principal {
        var principal = self.principal(owner, .token(id: token.id, name: token.name))
        // A grant that cannot be read gives nothing.
        if !token.grants.isEmpty { principal.limits = .grants(token.grants.compactMap { try? Grant($0) }) }
        return principal
    }

    func principal(_ identity: Identity, _ means: Principal.Means) -> Principal {
        Principal(name: identity.name, roles: self.policy.roles(of: identity), means: means)
    }

    func identity(_ name: String) async throws(AccessFailure) -> Identity? {
        for directory in self.directories {
            if let found = try await directory.person(name) { return found }
        }
        return nil
    }

    private func ticket(_ text: String, audience: String) async throws(AccessFailure) -> (Principal, lifetime: Duration) {
        let keyring = self.keyring
        let claims: TicketClaims?
        do {
            claims = try await self.pool.run { TicketText.claims(text, keyring) }
        } catch {
            throw AccessFailure(.cancelled, "the server is ending", cause: error)
        }
        guard let claims else { throw Self.wrong }
        guard claims.counts(for: audience, at: self.now()) else { throw AccessFailure(.expired, "this token has ended, or is for another address; ask for a new one") }
        var principal = try await self.holder(of: claims.sub, epoch: claims.epoch, token: claims.token)
        (principal.means, principal.limits) = (.ticket, .permits(claims.permits, catalog: claims.catalog))
        return (principal, .seconds(claims.exp) - .milliseconds(self.now().milliseconds))
    }

    /// Who something was signed for, where the password or the token is still the one that it was signed for.
    /// - Parameter name: empty: nobody in particular.
    func holder(of name: String, epoch: String, token: Int64) async throws(AccessFailure) -> Principal {
        guard !name.isEmpty else { return self.anonymous }
        guard let identity = try await self.identity(name) else { throw Self.ended }
        guard token == 0 else {
            let record = try await self.asking { ledger throws(MetadataError) in try await ledger.token(id: token) }
            guard let record, record.owner == name else { throw Self.ended }
            _ = try self.lifetime(of: record)
            return self.principal(identity, record)
        }
        guard Base64.urlText(identity.epoch) == epoch else { throw Self.ended }
        return self.principal(identity, .password)
    }

    func asking<Answer>(_ ask: (any TokenLedger) async throws(MetadataError) -> Answer) async throws(AccessFailure) -> Answer {
        do { return try await ask(self.tokens) } catch { throw AccessFailure(error) }
    }

    private func noteUse(of principal: Principal, from client: String) {
        if case .token(let id, _) = principal.means { self.uses.note(id, at: self.now(), from: client) }
    }

    var elapsed: Duration { self.uptime() }

    /// Forgets what is remembered of somebody whose account, password, roles or tokens have changed.
    func forget(_ name: String) { self.cache.drop { $0.name == name } }

    static let wrong = AccessFailure(.wrong, "the name, the password or the token is wrong")
    static let ended = AccessFailure(.expired, "this has ended: the password, the user or the token behind it has changed; sign in again")
}
