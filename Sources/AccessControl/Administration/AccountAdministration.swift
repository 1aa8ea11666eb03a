public import ArtifactModel
public import StorageAPI

/// Changes users and tokens: for commands, the control socket and the admin API.
///
/// What this process remembers of whom it changes is forgotten before a call returns; other processes remember it for a minute at most. Changes
/// are made one after the other, so that two cannot take the last administrator away together. Whoever calls has the change audited: what
/// comes back says what it was.
public struct AccountAdministration: Sendable {
    let policy: AccessPolicy
    let ledger: any AccountLedger & TokenLedger
    let gate: AccessGate?
    let now: WallClock
    let random: RandomSource
    let file: FirstPasswordFile
    private let hasher: PasswordHasher
    private let turn = WaitingLine(atOnce: 1, waiting: 64)

    /// - Parameters:
    ///   - gate: what remembers; nil: there is no access control, and nothing to forget.
    ///   - passwordFile: where the first administrator's password is put.
    ///   - files: where that file is written.
    public init(
        _ policy: AccessPolicy, ledger: any AccountLedger & TokenLedger, hasher: PasswordHasher, gate: AccessGate?, passwordFile: String,
        files: any BlockingPool, now: @escaping WallClock, random: @escaping RandomSource = SystemRandomNumberGenerator.bytes
    ) {
        self.policy = policy
        self.ledger = ledger
        self.hasher = hasher
        self.gate = gate
        self.now = now
        self.random = random
        self.file = FirstPasswordFile(path: passwordFile, pool: files)
    }

    /// How a new password comes about.
    public enum NewPassword: Sendable {
        case given(String)
        /// Made here, and told once.
        case random
        /// For robots, which have tokens alone.
        case none
    }

    /// An account, with the password where it was made here.
    public struct Account: Sendable {
        public var record: AccountRecord
        public var password: String?
    }

    public struct RoleChange: Sendable {
        public var name: String
        public var before: [String]
        public var after: [String]
    }

    public struct Removal: Sendable {
        public var record: AccountRecord
        /// Those that could still be used.
        public var tokens: [TokenRecord]
    }

    public func add(_ name: String, password: NewPassword, roles: [String], by creator: String) async throws(AdministrationFailure) -> Account {
        let account = try self.checked(name)
        try self.check(roles)
        let (text, hash) = try await self.hashed(password)
        let record = AccountRecord(
            name: account.text, kind: hash.isEmpty ? .robot : .user, passwordHash: hash, epoch: self.random(16), roles: roles, created: self.now(),
            createdBy: creator)
        let isAdded = try await self.exclusively { () throws(MetadataError) in try await self.ledger.add(record) }
        guard isAdded else { throw AdministrationFailure(.taken, "there is a user «\(name)» already") }
        self.gate?.forget(account)
        return Account(record: record, password: text)
    }

    public func setPassword(_ password: NewPassword, of name: String) async throws(AdministrationFailure) -> Account {
        let account = try self.checked(name)
        guard try await self.record(account).kind == .user else {
            throw AdministrationFailure(.invalid, "«\(name)» is a robot: it has tokens, and no password")
        }
        let (text, hash) = try await self.hashed(password)
        guard !hash.isEmpty else { throw AdministrationFailure(.invalid, PasswordRule.text) }
        let epoch = self.random(16)
        let isChanged = try await self.exclusively { () throws(MetadataError) in
            try await self.ledger.change(account.text, .password(hash: hash, epoch: epoch))
        }
        self.gate?.forget(account)
        guard isChanged else { throw Self.absent(name) }
        if account.text == FirstAdministrator.name { await self.file.remove() }
        return Account(record: try await self.record(account), password: text)
    }

    public func setRoles(_ roles: [String], of name: String) async throws(AdministrationFailure) -> RoleChange {
        let account = try self.checked(name)
        try self.check(roles)
        let before = try await self.inTurn { () throws(AdministrationFailure) in
            let record = try await self.record(account)
            if !self.isAdministrator(account, roles) { try await self.keepAnAdministrator(besides: record) }
            guard try await self.asking({ () throws(MetadataError) in try await self.ledger.change(account.text, .roles(roles)) }) else {
                throw Self.absent(name)
            }
            return record.roles
        }
        self.gate?.forget(account)
        return RoleChange(name: account.text, before: before, after: roles)
    }

    public func remove(_ name: String) async throws(AdministrationFailure) -> Removal {
        let account = try self.checked(name)
        let removal = try await self.inTurn { () throws(AdministrationFailure) in
            let record = try await self.record(account)
            try await self.keepAnAdministrator(besides: record)
            let now = self.now()
            let tokens = try await self.tokens(of: name).filter { $0.counts(at: now) }
            guard try await self.asking({ () throws(MetadataError) in try await self.ledger.removeAccount(account.text) }) else { throw Self.absent(name) }
            return Removal(record: record, tokens: tokens)
        }
        self.gate?.forget(account)
        if account.text == FirstAdministrator.name { await self.file.remove() }
        return removal
    }

    /// For the configuration: what `passwordHash` wants.
    public func hash(_ password: NewPassword) async throws(AdministrationFailure) -> (password: String?, hash: String) { try await self.hashed(password) }
}

extension AccountAdministration {
    private func hashed(_ password: NewPassword) async throws(AdministrationFailure) -> (password: String?, hash: String) {
        switch password {
        case .none: return (nil, "")
        case .given(let text):
            guard PasswordRule.allows(text) else { throw AdministrationFailure(.invalid, PasswordRule.text) }
            return (nil, try await self.hash(of: text))
        case .random:
            let text = PasswordRule.random(self.random)
            return (text, try await self.hash(of: text))
        }
    }

    func hash(of password: String) async throws(AdministrationFailure) -> String {
        do { return try await self.hasher.hash(password).text } catch { throw AdministrationFailure(error) }
    }

    /// A name that an account may have: users of the configuration are changed there.
    private func checked(_ name: String) throws(AdministrationFailure) -> AccountName {
        guard let account = AccountName(known: name) else { throw AdministrationFailure(.invalid, "«\(name)» is not a user's name: \(AccountName.rule)") }
        guard !self.policy.users.contains(where: { $0.name == account }) else {
            throw AdministrationFailure(.taken, "«\(name)» is a user of the configuration (security.users); change it there")
        }
        return account
    }

    private func check(_ roles: [String]) throws(AdministrationFailure) {
        let known = self.policy.roles.keys.sorted() + [GrantAuthorizer.administrator]
        for role in roles where !known.contains(role) {
            throw AdministrationFailure(.invalid, "there is no role «\(role)» in security.roles; there are: \(known.joined(separator: ", "))")
        }
    }

    private func record(_ account: AccountName) async throws(AdministrationFailure) -> AccountRecord {
        guard let record = try await self.asking({ () throws(MetadataError) in try await self.ledger.account(account.text) }) else {
            throw Self.absent(account.text)
        }
        return record
    }

    /// So that somebody can still let others in: a user of the configuration, or another account with a password.
    private func keepAnAdministrator(besides record: AccountRecord) async throws(AdministrationFailure) {
        guard let account = AccountName(known: record.name), record.kind == .user, self.isAdministrator(account, record.roles) else { return }
        guard try await self.hasAdministrator(besides: account) else {
            throw AdministrationFailure(.last, "«\(record.name)» is the last user with the role admin; give it to another one first")
        }
    }

    private func exclusively<Answer>(_ ask: () async throws(MetadataError) -> Answer) async throws(AdministrationFailure) -> Answer {
        try await self.inTurn { () throws(AdministrationFailure) in try await self.asking(ask) }
    }

    func inTurn<Answer>(_ work: () async throws(AdministrationFailure) -> Answer) async throws(AdministrationFailure) -> Answer {
        let result: Result<Answer, AdministrationFailure>
        do throws(AccessFailure) {
            result = try await self.turn.run { () throws(AccessFailure) in
                do throws(AdministrationFailure) { return .success(try await work()) } catch { return .failure(error) }
            }
        } catch {
            throw AdministrationFailure(error)
        }
        return try result.get()
    }

    func asking<Answer>(_ ask: () async throws(MetadataError) -> Answer) async throws(AdministrationFailure) -> Answer {
        do { return try await ask() } catch { throw AdministrationFailure(AccessFailure(error)) }
    }

    static func absent(_ name: String) -> AdministrationFailure { AdministrationFailure(.absent, "there is no user «\(name)»") }
}

extension TokenRecord {
    /// Neither revoked nor expired.
    public func counts(at now: Timestamp) -> Bool { self.revoked == nil && self.expires.map { $0 > now } ?? true }
}
