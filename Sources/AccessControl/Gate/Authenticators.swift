import ArtifactModel
import StorageAPI

/// Users of the configuration, by their passwords.
struct StaticUserAuthenticator: Authenticator {
    let directory: Directory
    let hasher: PasswordHasher

    func authenticate(_ credentials: Credentials, from client: String) async throws(AccessFailure) -> Identity? {
        guard case .basic(let name, let password) = credentials, let name = AccountName(known: name), let user = self.directory.fixedUser(name) else {
            return nil
        }
        return try await self.hasher.identity(of: user, password)
    }
}

/// Accounts of the database, by their passwords.
struct AccountAuthenticator: Authenticator {
    let directory: Directory
    let hasher: PasswordHasher

    func authenticate(_ credentials: Credentials, from client: String) async throws(AccessFailure) -> Identity? {
        guard case .basic(let name, let password) = credentials, let name = AccountName(known: name) else { return nil }
        guard let user = try await self.directory.account(name) else { return nil }
        return try await self.hasher.identity(of: user, password)
    }
}

/// Tokens: as a bearer, or in place of a password, where the name is the owner's or `token`.
struct TokenAuthenticator: Authenticator {
    static let anyName = "token"

    let directory: Directory
    let ledger: any TokenLedger
    let now: WallClock

    func authenticate(_ credentials: Credentials, from client: String) async throws(AccessFailure) -> Identity? {
        switch credentials {
        case .basic(let name, let secret) where Self.isMeant(secret):
            let token = try await self.token(secret)
            // Which of the two is wrong is not told.
            guard name == Self.anyName || ByteText.equal(name, token.owner) else { throw .wrong }
            return try await self.directory.identity(of: token, now: self.now())
        case .bearer(let text) where Self.isMeant(text): return try await self.directory.identity(of: try await self.token(text), now: self.now())
        case .none, .unreadable, .basic, .bearer: return nil
        }
    }

    static func isMeant(_ text: String) -> Bool { text.utf8.starts(with: TokenText.prefix.utf8) }

    private func token(_ text: String) async throws(AccessFailure) -> TokenRecord {
        guard let token = TokenText(text) else { throw .wrong }
        let record: TokenRecord?
        do { record = try await self.ledger.token(hash: token.hash) } catch { throw AccessFailure(error) }
        guard let record else { throw .wrong }
        return record
    }
}

extension AccountName {
    /// nil: no user has such a name.
    init?(known text: String) {
        do { try self.init(text) } catch { return nil }
    }
}

extension PasswordHasher {
    /// - Returns: nil: it has no password; whoever asked spends the time of a hash all the same.
    fileprivate func identity(of user: Directory.User, _ password: String) async throws(AccessFailure) -> Identity? {
        guard let hash = user.passwordHash else { return nil }
        guard try await self.matches(password, hash) else { throw .wrong }
        return Identity(name: user.name, roles: user.roles, means: .password, basis: .password(epoch: user.epoch))
    }
}
