/// What the configuration says of people and their rights.
public struct AccessPolicy: Sendable {
    /// One of the configuration's own users. Its description leaves the hash out.
    public struct User: Hashable, Sendable, CustomStringConvertible {
        public var name: String
        public var passwordHash: PasswordHash
        public var roles: [String]
        public init(name: String, passwordHash: PasswordHash, roles: [String]) {
            self.name = name
            self.passwordHash = passwordHash
            self.roles = roles
        }
        public var description: String { "\(self.name) (\(self.roles.joined(separator: ", ")))" }
    }

    public struct Group: Hashable, Sendable {
        public var name: String
        /// Names of users, wherever they are kept.
        public var members: Set<String>
        public var roles: [String]
        public init(name: String, members: Set<String>, roles: [String]) {
            self.name = name
            self.members = members
            self.roles = roles
        }
    }

    public var roles: [String: [Grant]]
    public var groups: [Group]
    public var users: [String: User]
    /// Of everyone, signed in or not; empty where nobody may do anything without signing in.
    public var anonymousRoles: [String]

    public init(roles: [String: [Grant]], groups: [Group] = [], users: [User] = [], anonymousRoles: [String] = []) {
        self.roles = roles
        self.groups = groups
        self.users = Dictionary(users.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.anonymousRoles = anonymousRoles
    }

    /// A person's own, their groups' and everyone's.
    func roles(of identity: Identity) -> [String] {
        var all = identity.roles
        for group in self.groups where group.members.contains(identity.name) || identity.groups.contains(group.name) { all += group.roles }
        all += self.anonymousRoles
        var seen: Set<String> = []
        return all.filter { seen.insert($0).inserted }
    }
}
