import StorageAPI

/// What a start found out about who may let others in.
public enum FirstAdministrator: Hashable, Sendable {
    /// There is somebody.
    case present
    /// `admin` was made; its password is in this file, until it is changed.
    case made(file: String)
    /// There is nobody, and `admin` is a user without the role. What to do about it is for people.
    case nobody(String)

    /// Whom a first start makes.
    public static let name = "admin"
}

extension AccountAdministration {
    /// For a start with access control: makes the user `admin` with a random password where nobody has the role `admin`.
    ///
    /// The password is in its file before there is an account that has it: a process that dies in between leaves a file that says nothing, and the
    /// next start replaces it.
    public func provideAdministrator() async throws(AdministrationFailure) -> FirstAdministrator {
        guard let name = AccountName(known: FirstAdministrator.name), try await !self.hasAdministrator() else { return .present }
        if self.isFixed(name) {
            return .nobody("nobody has the role admin: give it to a user of security.users, or make one: entrepot user add NAME --role admin")
        }
        let isTaken = try await self.asking { () throws(MetadataError) in try await self.ledger.account(name.text) } != nil
        if isTaken { return .nobody("nobody has the role admin, and the user admin is there without it: entrepot user roles admin admin") }
        let password = PasswordRule.random(self.random)
        let record = AccountRecord(
            name: name.text, kind: .user, passwordHash: try await self.hash(of: password), epoch: self.random(16),
            roles: [GrantAuthorizer.administrator], created: self.now(), createdBy: "first start")
        try await self.file.write(password)
        let isAdded = try await self.asking { () throws(MetadataError) in try await self.ledger.add(record) }
        guard isAdded else {
            // Another node was faster: its file is the right one, on its own disk.
            await self.file.remove()
            return .present
        }
        self.gate?.forget(name)
        return .made(file: self.file.path)
    }
}
