public import ArtifactModel
import StorageAPI

extension AccountAdministration {
    /// One that this server knows by name.
    public struct User: Hashable, Sendable {
        public enum Origin: Hashable, Sendable {
            case configuration
            case user, robot
        }
        public var name: String
        public var origin: Origin
        /// Its own.
        public var roles: [String]
        /// All that count for it: with those of its groups, and everybody's.
        public var effectiveRoles: [String]
        /// nil for those of the configuration.
        public var created: Timestamp?
        public var createdBy: String
    }

    private static let page = 500

    /// Those of the configuration first; then those of the database by name, without those that one of the configuration stands before.
    public func users() async throws(AdministrationFailure) -> [User] {
        let fixed = self.policy.users.map { user in
            User(
                name: user.name.text, origin: .configuration, roles: user.roles, effectiveRoles: self.policy.effectiveRoles(user.roles, of: user.name),
                created: nil, createdBy: "")
        }
        let stored = try await self.accounts().compactMap { record -> User? in
            guard let name = AccountName(known: record.name), !self.isFixed(name) else { return nil }
            return User(
                name: record.name, origin: record.kind == .robot ? .robot : .user, roles: record.roles,
                effectiveRoles: self.policy.effectiveRoles(record.roles, of: name), created: record.created, createdBy: record.createdBy)
        }
        return fixed + stored
    }

    func accounts() async throws(AdministrationFailure) -> [AccountRecord] {
        var all: [AccountRecord] = []
        while true {
            let last = all.last?.name ?? ""
            let page = try await self.asking { () throws(MetadataError) in try await self.ledger.accounts(after: last, limit: Self.page) }
            all += page
            if page.count < Self.page { return all }
        }
    }

    func isFixed(_ name: AccountName) -> Bool { self.policy.users.contains { $0.name == name } }

    /// By its own roles, or those of its groups.
    func isAdministrator(_ name: AccountName, _ roles: [String]) -> Bool {
        (roles + self.policy.groupRoles(of: name)).contains(GrantAuthorizer.administrator)
    }

    /// One who can sign in with a password.
    func hasAdministrator(besides other: AccountName? = nil) async throws(AdministrationFailure) -> Bool {
        if self.policy.users.contains(where: { self.isAdministrator($0.name, $0.roles) }) { return true }
        return try await self.accounts().contains { record in
            guard record.kind == .user, let name = AccountName(known: record.name), name != other, !self.isFixed(name) else { return false }
            return self.isAdministrator(name, record.roles)
        }
    }
}
