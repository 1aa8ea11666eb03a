public import ArtifactModel
public import StorageAPI

/// What users and tokens could not be changed for; the text is for people.
public struct AdministrationFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable { case invalid, taken, absent, last, unavailable }
    public var code: Code
    public var description: String
    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

/// Changes users and tokens, for the commands and the API. What this process remembers of whom it changes is forgotten at once, what others
/// remember within a minute.
public struct AccountAdministration: Sendable {
    private let gate: AccessGate
    private let accounts: any AccountLedger
    private let pool: any BlockingPool
    /// Called when the password of `admin` is no longer the first one.
    private let onAdminChange: @Sendable () -> Void

    public init(_ gate: AccessGate, accounts: any AccountLedger, pool: any BlockingPool, onAdminChange: @escaping @Sendable () -> Void = {}) {
        self.gate = gate
        self.accounts = accounts
        self.pool = pool
        self.onAdminChange = onAdminChange
    }

    // MARK: Users

    /// - Parameter password: nil: a robot, which has tokens and no password.
    public func add(_ name: String, password: String?, roles: [String], by creator: String) async throws(AdministrationFailure) -> AccountRecord {
        guard Self.isName(name) else { throw AdministrationFailure(.invalid, "«\(name)» is not a user's name: 1 to 128 bytes without blanks, colons and commas") }
        guard self.gate.policy.users[name] == nil else { throw AdministrationFailure(.taken, "«\(name)» is a user of the configuration; change it there") }
        try self.check(roles)
        let record = AccountRecord(
            name: name, kind: password == nil ? .robot : .user, passwordHash: try await self.hash(password), epoch: Randomness.bytes(16), roles: roles,
            created: self.gate.now(), createdBy: creator)
        guard try await self.asking({ ledger throws(MetadataError) in try await ledger.add(record) }) else {
            throw AdministrationFailure(.taken, "there is a user «\(name)»")
        }
        self.gate.forget(name)
        return record
    }

    public func setPassword(_ password: String, of name: String) async throws(AdministrationFailure) {
        var account = try await self.account(name)
        guard account.kind == .user else { throw AdministrationFailure(.invalid, "«\(name)» is a robot: it has tokens, and no password") }
        account.passwordHash = try await self.hash(password)
        account.epoch = Randomness.bytes(16)
        try await self.change(account)
        if name == FirstStart.name { self.onAdminChange() }
    }

    public func setRoles(_ roles: [String], of name: String) async throws(AdministrationFailure) {
        try self.check(roles)
        var account = try await self.account(name)
        if account.roles.contains(GrantAuthorizer.administrator), !roles.contains(GrantAuthorizer.administrator) { try await self.keepAnAdministrator(besides: name) }
        account.roles = roles
        try await self.change(account)
    }

    public func remove(_ name: String) async throws(AdministrationFailure) {
        if try await self.account(name).roles.contains(GrantAuthorizer.administrator) { try await self.keepAnAdministrator(besides: name) }
        guard try await self.asking({ ledger throws(MetadataError) in try await ledger.removeAccount(name) }) else { throw Self.absent(name) }
        self.gate.forget(name)
    }

    /// All of them; the configuration's first.
    public func users() async throws(AdministrationFailure) -> [(name: String, kind: String, roles: [String], created: Timestamp?)] {
        var all = self.gate.policy.users.values.sorted { $0.name < $1.name }.map { (name: $0.name, kind: "configured", roles: $0.roles, created: Timestamp?.none) }
        for account in try await self.everyAccount() { all.append((account.name, account.kind.rawValue, account.roles, account.created)) }
        return all
    }

    // MARK: Tokens

    /// - Parameters:
    ///   - grants: to which it is confined; empty: to nothing less than its owner has.
    ///   - lifetime: nil: it does not expire.
    /// - Returns: the token's text, which is nowhere else, and what is kept.
    public func makeToken(
        _ name: String, for owner: String, grants: [String], lifetime: Duration?, by creator: String
    ) async throws(AdministrationFailure) -> (text: String, token: TokenRecord) {
        guard Self.isName(name) else { throw AdministrationFailure(.invalid, "«\(name)» is not a token's name: 1 to 128 bytes without blanks, colons and commas") }
        guard grants.count <= 100 else { throw AdministrationFailure(.invalid, "a token is confined to 100 grants at most") }
        for grant in grants {
            do { _ = try Grant(grant) } catch { throw AdministrationFailure(.invalid, "«\(grant)» is not a grant: \(Grant.rule)") }
        }
        if let lifetime, lifetime <= .zero { throw AdministrationFailure(.invalid, "a token lives for a while: 90d, 12h") }
        guard try await self.exists(owner) else { throw Self.absent(owner) }
        let text = TokenText.make()
        let now = self.gate.now()
        let record = TokenRecord(
            owner: owner, name: name, hash: text.hash, grants: grants, created: now, createdBy: creator, expires: lifetime.map { now + $0 })
        do {
            guard let kept = try await self.gate.tokens.add(record) else {
                throw AdministrationFailure(.taken, "«\(owner)» has a token «\(name)»; revoke it first, or choose another name")
            }
            return (text.text, kept)
        } catch let failure as AdministrationFailure {
            throw failure
        } catch {
            throw Self.unavailable
        }
    }

    /// - Parameter owner: nil: everyone's.
    public func tokens(of owner: String?) async throws(AdministrationFailure) -> [TokenRecord] {
        var all: [TokenRecord] = []
        do {
            while case let page = try await self.gate.tokens.tokens(of: owner, after: all.last?.id ?? 0, limit: 500), !page.isEmpty { all += page }
        } catch {
            throw Self.unavailable
        }
        return all
    }

    /// - Parameter owner: whose it must be; nil: anyone's.
    /// - Returns: what it was.
    public func revoke(token id: Int64, of owner: String? = nil) async throws(AdministrationFailure) -> TokenRecord {
        let token: TokenRecord?
        let isRevoked: Bool
        do {
            token = try await self.gate.tokens.token(id: id).flatMap { owner == nil || $0.owner == owner ? $0 : nil }
            isRevoked = if token == nil { false } else { try await self.gate.tokens.revoke(token: id, at: self.gate.now()) }
        } catch {
            throw Self.unavailable
        }
        guard let token, isRevoked else { throw AdministrationFailure(.absent, "there is no token \(id) that could be revoked") }
        self.gate.forget(token.owner)
        return token
    }

    // MARK: Parts

    public static func isName(_ name: String) -> Bool {
        (1...128).contains(name.utf8.count) && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: ",") }
    }

    /// Also for the configuration: `entrepot user hash`.
    public static func checked(_ password: String) throws(AdministrationFailure) -> String {
        guard PasswordRule.allows(password) else { throw AdministrationFailure(.invalid, "a password has \(PasswordRule.text)") }
        return password
    }

    private func hash(_ password: String?) async throws(AdministrationFailure) -> String {
        guard let password else { return "" }
        let checked = try Self.checked(password)
        do { return try await self.pool.run { try PasswordHash(hashing: checked).description } } catch { throw Self.unavailable }
    }

    private func check(_ roles: [String]) throws(AdministrationFailure) {
        let known = self.gate.policy.roles.keys.sorted() + [GrantAuthorizer.administrator]
        for role in roles where !known.contains(role) {
            throw AdministrationFailure(.invalid, "there is no role «\(role)»; there are: \(known.joined(separator: ", ")) (security.roles)")
        }
    }

    private func exists(_ name: String) async throws(AdministrationFailure) -> Bool {
        if self.gate.policy.users[name] != nil { return true }
        return try await self.asking { ledger throws(MetadataError) in try await ledger.account(name) } != nil
    }

    private func account(_ name: String) async throws(AdministrationFailure) -> AccountRecord {
        guard self.gate.policy.users[name] == nil else { throw AdministrationFailure(.invalid, "«\(name)» is a user of the configuration; change it there") }
        guard let account = try await self.asking({ ledger throws(MetadataError) in try await ledger.account(name) }) else { throw Self.absent(name) }
        return account
    }

    private func change(_ account: AccountRecord) async throws(AdministrationFailure) {
        guard try await self.asking({ ledger throws(MetadataError) in try await ledger.change(account) }) else { throw Self.absent(account.name) }
        self.gate.forget(account.name)
    }

    private func everyAccount() async throws(AdministrationFailure) -> [AccountRecord] {
        var all: [AccountRecord] = []
        while true {
            let last = all.last?.name ?? ""
            let page = try await self.asking { ledger throws(MetadataError) in try await ledger.accounts(after: last, limit: 500) }
            if page.isEmpty { return all }
            all += page
        }
    }

    /// So that somebody can still let others in.
    private func keepAnAdministrator(besides name: String) async throws(AdministrationFailure) {
        let role = GrantAuthorizer.administrator
        let isThere = self.gate.policy.users.values.contains { $0.roles.contains(role) }
        let isStored = try await self.everyAccount().contains { $0.name != name && $0.kind == .user && $0.roles.contains(role) }
        guard isThere || isStored else { throw AdministrationFailure(.last, "«\(name)» is the last user with the role admin; give it to another one first") }
    }

    private func asking<Answer>(_ ask: (any AccountLedger) async throws(MetadataError) -> Answer) async throws(AdministrationFailure) -> Answer {
        do { return try await ask(self.accounts) } catch { throw Self.unavailable }
    }

    private static func absent(_ name: String) -> AdministrationFailure { AdministrationFailure(.absent, "there is no user «\(name)»") }
    private static let unavailable = AdministrationFailure(.unavailable, "the database cannot be asked now; try again")
}
