/// What the configuration says of people.
public struct AccessPolicy: Sendable {
    /// A user who is in the configuration and not in the database.
    public struct StaticUser: Hashable, Sendable {
        public var name: AccountName
        public var passwordHash: PasswordHash
        public var roles: [String]
        public init(name: AccountName, passwordHash: PasswordHash, roles: [String]) {
            self.name = name
            self.passwordHash = passwordHash
            self.roles = roles
        }
    }
    /// Its members have its roles beside their own, wherever they are known from.
    public struct UserGroup: Hashable, Sendable {
        public var name: String
        public var members: [AccountName]
        public var roles: [String]
        public init(name: String, members: [AccountName], roles: [String]) {
            self.name = name
            self.members = members
            self.roles = roles
        }
    }

    /// By name, without `admin`, which is always there.
    public var roles: [String: [Grant]]
    public var groups: [UserGroup]
    public var users: [StaticUser]
    /// What everybody has, without credentials too; nil: who has none has no rights.
    public var anonymousRoles: [String]?

    public init(roles: [String: [Grant]] = [:], groups: [UserGroup] = [], users: [StaticUser] = [], anonymousRoles: [String]? = nil) {
        self.roles = roles
        self.groups = groups
        self.users = users
        self.anonymousRoles = anonymousRoles
    }

    /// Of the groups that the user is in, in their order.
    func groupRoles(of name: AccountName) -> [String] { self.groups.filter { $0.members.contains(name) }.flatMap(\.roles) }

    /// Every role that counts for the user: its own, those of its groups, and everybody's; each once.
    func effectiveRoles(_ own: [String], of name: AccountName) -> [String] {
        var seen: Set<String> = []
        return (own + self.groupRoles(of: name) + (self.anonymousRoles ?? [])).filter { seen.insert($0).inserted }
    }
}
