import ArtifactModel
import Crypto
import StorageAPI

/// Whom this server knows by name: users of the configuration, and, where none of these is meant, accounts of the database.
struct Directory: Sendable {
    struct User: Sendable {
        var name: AccountName
        var roles: [String]
        /// nil: no password is right, as with a robot.
        var passwordHash: PasswordHash?
        /// New with every password.
        var epoch: [UInt8]
    }

    private let fixed: [AccountName: User]
    private let ledger: any AccountLedger & TokenLedger

    init(_ policy: AccessPolicy, ledger: any AccountLedger & TokenLedger) {
        let users = policy.users.map { user in
            User(name: user.name, roles: user.roles, passwordHash: user.passwordHash, epoch: Self.epoch(of: user.passwordHash))
        }
        self.fixed = Dictionary(users.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.ledger = ledger
    }

    /// A static user has the password that the configuration says: another hash is another epoch.
    private static func epoch(of hash: PasswordHash) -> [UInt8] { Array(SHA256.hash(data: Array("epoch \(hash.text)".utf8)).prefix(16)) }

    func fixedUser(_ name: AccountName) -> User? { self.fixed[name] }

    func account(_ name: AccountName) async throws(AccessFailure) -> User? {
        let record: AccountRecord?
        do { record = try await self.ledger.account(name.text) } catch { throw AccessFailure(error) }
        guard let record else { return nil }
        do {
            let hash = record.passwordHash.isEmpty ? nil : try PasswordHash(record.passwordHash)
            return User(name: name, roles: record.roles, passwordHash: hash, epoch: record.epoch)
        } catch {
            throw .unavailable(error)
        }
    }

    func user(_ name: AccountName) async throws(AccessFailure) -> User? {
        if let user = self.fixedUser(name) { return user }
        return try await self.account(name)
    }

    /// Who a token is for, where it still counts.
    func identity(of token: TokenRecord, now: Timestamp) async throws(AccessFailure) -> Identity {
        if token.revoked != nil { throw .revoked }
        if let expires = token.expires, expires <= now { throw .expired }
        let name: AccountName
        var grants: [Grant] = []
        do {
            name = try AccountName(token.owner)
            // One that cannot be read must not count as none, which would be all that the owner may do.
            for text in token.grants { grants.append(try Grant(text)) }
        } catch {
            throw .unavailable(error)
        }
        guard let owner = try await self.user(name) else { throw .revoked }
        return Identity(
            name: name, roles: owner.roles, means: .token(id: token.id, name: token.name), limits: grants.isEmpty ? .none : .grants(grants),
            basis: .token(id: token.id), expires: token.expires)
    }

    /// Who something was signed for, where what it hangs on still holds.
    func identity(of name: AccountName, by basis: Principal.Basis, now: Timestamp) async throws(AccessFailure) -> Identity {
        switch basis {
        case .nothing: throw .revoked
        case .password(let epoch):
            guard let user = try await self.user(name), user.passwordHash != nil, user.epoch == epoch else { throw .revoked }
            return Identity(name: name, roles: user.roles, means: .password, basis: basis)
        case .token(let id):
            let token: TokenRecord?
            do { token = try await self.ledger.token(id: id) } catch { throw AccessFailure(error) }
            guard let token, ByteText.equal(token.owner, name.text) else { throw .revoked }
            return try await self.identity(of: token, now: now)
        }
    }
}
