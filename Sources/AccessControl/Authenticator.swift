import StorageAPI

/// Somebody, as an authenticator knows them.
public struct Identity: Hashable, Sendable {
    public var name: String
    /// Their own roles.
    public var roles: [String]
    /// Names of groups that another directory has them in.
    public var groups: [String]
    /// New with every password: what was signed for an older one is dead.
    public var epoch: [UInt8]
    public init(name: String, roles: [String], groups: [String] = [], epoch: [UInt8]) {
        self.name = name
        self.roles = roles
        self.groups = groups
        self.epoch = epoch
    }
}

/// A directory of people. Those of an LDAP server or an OpenID provider are further ones.
public protocol Authenticator: Sendable {
    /// Who has this name, as they are now; nil: nobody here.
    func person(_ name: String) async throws(AccessFailure) -> Identity?
    /// - Parameter check: hashes a password and compares, once whatever is found, so that it takes as long for nobody as for somebody.
    /// - Returns: nil: nobody of this name is here.
    func verify(
        _ name: String, _ secret: String, check: @Sendable (PasswordHash?) async throws(AccessFailure) -> Bool
    ) async throws(AccessFailure) -> Verification?
}

public enum Verification: Hashable, Sendable {
    case right(Identity)
    case wrong
}

/// The configuration's own users.
struct ConfiguredUsers: Authenticator {
    let policy: AccessPolicy

    func person(_ name: String) async throws(AccessFailure) -> Identity? { self.policy.users[name].map(Self.identity) }

    func verify(
        _ name: String, _ secret: String, check: @Sendable (PasswordHash?) async throws(AccessFailure) -> Bool
    ) async throws(AccessFailure) -> Verification? {
        guard let user = self.policy.users[name] else { return nil }
        return try await check(user.passwordHash) ? .right(Self.identity(user)) : .wrong
    }

    private static func identity(_ user: AccessPolicy.User) -> Identity {
        Identity(name: user.name, roles: user.roles, epoch: user.passwordHash.key)
    }
}

/// The database's users and robots.
struct StoredAccounts: Authenticator {
    let ledger: any AccountLedger

    func person(_ name: String) async throws(AccessFailure) -> Identity? { try await self.account(name).map(Self.identity) }

    func verify(
        _ name: String, _ secret: String, check: @Sendable (PasswordHash?) async throws(AccessFailure) -> Bool
    ) async throws(AccessFailure) -> Verification? {
        guard let account = try await self.account(name) else { return nil }
        return try await check(PasswordHash(account.passwordHash)) ? .right(Self.identity(account)) : .wrong
    }

    private func account(_ name: String) async throws(AccessFailure) -> AccountRecord? {
        do { return try await self.ledger.account(name) } catch { throw AccessFailure(error) }
    }

    private static func identity(_ account: AccountRecord) -> Identity { Identity(name: account.name, roles: account.roles, epoch: account.epoch) }
}

extension AccessFailure {
    init(_ error: MetadataError) {
        self.init(error.code == .cancelled ? .cancelled : .unavailable, "who you are cannot be looked up now; try again", retryAfter: .seconds(1), cause: error)
    }
}
