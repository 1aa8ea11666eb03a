public import ArtifactModel

/// Users and robots of the database. Those of the configuration are not in it.
public protocol AccountLedger: Sendable {
    func account(_ name: String) async throws(MetadataError) -> AccountRecord?
    /// Byte-wise ordered by name, from the one after `name` on.
    func accounts(after name: String, limit: Int) async throws(MetadataError) -> [AccountRecord]
    /// Tokens that bear its name, such as those of a user who has left the configuration, are removed: they were another's.
    /// - Returns: false: there is one of that name, and nothing was changed.
    func add(_ account: AccountRecord) async throws(MetadataError) -> Bool
    /// One thing at a time, so that nobody who changes the one writes back an older state of the other.
    /// - Returns: false: there is none.
    func change(_ name: String, _ change: AccountChange) async throws(MetadataError) -> Bool
    /// Its tokens go with it.
    /// - Returns: false: there is none.
    func removeAccount(_ name: String) async throws(MetadataError) -> Bool
}

public enum AccountChange: Hashable, Sendable {
    case password(hash: String, epoch: [UInt8])
    case roles([String])
}

public struct AccountRecord: Hashable, Sendable {
    /// A robot has no password, only tokens.
    public enum Kind: String, Hashable, Sendable, CaseIterable { case user, robot }
    public var name: String
    public var kind: Kind
    /// As AccessControl writes it; empty: no password is right.
    public var passwordHash: String
    /// 16 random bytes, new with every password: what was signed for an older one is dead.
    public var epoch: [UInt8]
    public var roles: [String]
    public var created: Timestamp
    public var createdBy: String
    public init(name: String, kind: Kind, passwordHash: String, epoch: [UInt8], roles: [String], created: Timestamp, createdBy: String) {
        self.name = name
        self.kind = kind
        self.passwordHash = passwordHash
        self.epoch = epoch
        self.roles = roles
        self.created = created
        self.createdBy = createdBy
    }
}

/// Tokens, of accounts and of the configuration's users alike. Their text is nowhere.
public protocol TokenLedger: Sendable {
    /// - Parameter hash: SHA-256 of the token's text. Revoked and expired ones are found too.
    func token(hash: [UInt8]) async throws(MetadataError) -> TokenRecord?
    func token(id: Int64) async throws(MetadataError) -> TokenRecord?
    /// By id, from the one after `id` on.
    /// - Parameter owner: nil: everyone's.
    func tokens(of owner: String?, after id: Int64, limit: Int) async throws(MetadataError) -> [TokenRecord]
    /// Gives it an id, which is never given again.
    /// - Returns: nil: the owner has a token of that name that is not revoked, and nothing was changed.
    func add(_ token: TokenRecord) async throws(MetadataError) -> TokenRecord?
    /// - Returns: false: there is none, or it was revoked before.
    func revoke(token id: Int64, at moment: Timestamp) async throws(MetadataError) -> Bool
    /// Of tokens that are gone meanwhile nothing is written.
    func note(_ uses: [TokenUse]) async throws(MetadataError)
}

public struct TokenRecord: Hashable, Sendable {
    public var id: Int64
    /// An account's name, or a user's of the configuration.
    public var owner: String
    /// The owner's word for it.
    public var name: String
    /// SHA-256 of its text.
    public var hash: [UInt8]
    /// To these grants it is confined, of what its owner may do; empty: to nothing less.
    public var grants: [String]
    public var created: Timestamp
    public var createdBy: String
    /// nil: never.
    public var expires: Timestamp?
    public var revoked: Timestamp?
    public var lastUsed: Timestamp?
    /// From where it was used last; empty: never.
    public var lastAddress: String
    public init(
        id: Int64 = 0, owner: String, name: String, hash: [UInt8], grants: [String], created: Timestamp, createdBy: String, expires: Timestamp?,
        revoked: Timestamp? = nil, lastUsed: Timestamp? = nil, lastAddress: String = ""
    ) {
        self.id = id
        self.owner = owner
        self.name = name
        self.hash = hash
        self.grants = grants
        self.created = created
        self.createdBy = createdBy
        self.expires = expires
        self.revoked = revoked
        self.lastUsed = lastUsed
        self.lastAddress = lastAddress
    }
}

public struct TokenUse: Hashable, Sendable {
    public var token: Int64
    public var at: Timestamp
    public var address: String
    public init(token: Int64, at: Timestamp, address: String) {
        self.token = token
        self.at = at
        self.address = address
    }
}

/// Secrets that every process of the installation shares, made by the first.
public protocol KeyLedger: Sendable {
    /// All of the purpose, newest first.
    func keys(for purpose: String) async throws(MetadataError) -> [KeyRecord]
    /// Keeps the key where the newest of its purpose is still `after` (nil: where there is none), and drops those made before `oldest`.
    /// - Returns: false: another process was faster; read again.
    func add(_ key: KeyRecord, after newest: String?, dropping oldest: Timestamp) async throws(MetadataError) -> Bool
    /// A small text by its name, such as how far the audit trail is known to be whole; nil: never set.
    func marker(_ name: String) async throws(MetadataError) -> String?
    func setMarker(_ name: String, _ text: String) async throws(MetadataError)
}

public struct KeyRecord: Hashable, Sendable {
    public var id: String
    public var purpose: String
    public var secret: [UInt8]
    public var created: Timestamp
    public init(id: String, purpose: String, secret: [UInt8], created: Timestamp) {
        self.id = id
        self.purpose = purpose
        self.secret = secret
        self.created = created
    }
}
