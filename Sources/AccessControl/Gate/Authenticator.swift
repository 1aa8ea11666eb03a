public import ArtifactModel

/// One way to know who somebody is: accounts, users of the configuration, tokens; a directory or another server's word later.
public protocol Authenticator: Sendable {
    /// May wait for a database and for a password to be hashed; is asked once for requests that bring the same at the same time, and what it
    /// found is remembered for at most a minute.
    /// - Parameter client: the address that it came from.
    /// - Returns: nil: these are not for this one to judge, such as a name that it does not know.
    /// - Throws: `.wrong` where they are, and are not right.
    func authenticate(_ credentials: Credentials, from client: String) async throws(AccessFailure) -> Identity?
}

/// Who an authenticator found.
public struct Identity: Hashable, Sendable {
    public var name: AccountName
    /// Its own; those of its groups are added.
    public var roles: [String]
    public var means: Principal.Means
    public var limits: Principal.Limits
    public var basis: Principal.Basis
    /// nil: it has no end of its own.
    public var expires: Timestamp?

    public init(
        name: AccountName, roles: [String], means: Principal.Means, limits: Principal.Limits = .none, basis: Principal.Basis, expires: Timestamp? = nil
    ) {
        self.name = name
        self.roles = roles
        self.means = means
        self.limits = limits
        self.basis = basis
        self.expires = expires
    }
}
