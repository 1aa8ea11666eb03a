import AccessControl
import ArtifactModel

extension ConfigurationReader {
    func security(_ section: Section, repositories: [RepositoryName]) -> Security {
        let anonymous = section.section("anonymous")
        let anonymousEnabled = anonymous.value("enabled", .bool, default: false)
        let anonymousRoles = anonymous.list("roles", .nonEmpty)
        anonymous.finish()
        let roles = self.roles(section.section("roles"), repositories: repositories)
        let known = [GrantAuthorizer.administrator] + roles.keys.sorted()
        let groups = section.section("groups").members().map { self.group($0.section, name: $0.name, roles: known) }
        let users = section.section("users").members().compactMap { self.user($0.section, name: $0.name, position: $0.position, roles: known) }
        let openAccess = section.value("openAccess", .bool, default: false)
        section.finish()
        self.check(anonymousRoles, among: known)
        for role in anonymousRoles where role.value == GrantAuthorizer.administrator {
            self.findings.error(role.position, role.key, "everybody would have every right; if that is meant, say security.openAccess: true")
        }
        let policy = AccessPolicy(
            roles: roles, groups: groups, users: users, anonymousRoles: anonymousEnabled ? anonymousRoles.map(\.value) : nil)
        return Security(policy: policy, openAccess: openAccess)
    }

    private func roles(_ section: Section, repositories: [RepositoryName]) -> [String: [Grant]] {
        let kind = ValueKind<Grant>.type { text throws(InvalidName) in try Grant(text) }
        var roles: [String: [Grant]] = [:]
        for name in section.keys {
            if name == GrantAuthorizer.administrator {
                self.findings.error(
                    section.position(of: name), section.keyPath(name), "the role is built in and has every right; give another one another name")
            }
            let grants = section.list(name, kind)
            for grant in grants { self.checkTarget(of: grant, among: repositories) }
            roles[name] = grants.map(\.value)
        }
        return roles
    }

    /// A grant may be there before its repository is; yet it is more often a slip.
    private func checkTarget(of grant: Located<Grant>, among repositories: [RepositoryName]) {
        guard case .repository(_, let names, _) = grant.value, names.isLiteral, !repositories.contains(where: { $0.text == names.text }) else { return }
        let suggestion = Spelling.suggestion(for: names.text, among: repositories.map(\.text))
        self.findings.warning(grant.position, grant.key, "«\(grant.value)» is about a repository that does not exist" + suggestion)
    }

    /// Members need not be known here: the rest of the users live in the database.
    private func group(_ section: Section, name: String, roles: [String]) -> AccessPolicy.UserGroup {
        let members = section.list("members", .type { text throws(InvalidName) in try AccountName(text) })
        let own = section.list("roles", .nonEmpty)
        section.finish()
        self.check(own, among: roles)
        return AccessPolicy.UserGroup(name: name, members: members.map(\.value), roles: own.map(\.value))
    }

    private func user(_ section: Section, name: String, position: Position, roles: [String]) -> AccessPolicy.StaticUser? {
        let account = self.accountName(name, position, section.key)
        let hash = self.passwordHash(section)
        let own = section.list("roles", .nonEmpty)
        section.finish()
        self.check(own, among: roles)
        guard let account, let hash else { return nil }
        return AccessPolicy.StaticUser(name: account, passwordHash: hash, roles: own.map(\.value))
    }

    private func accountName(_ name: String, _ position: Position, _ key: String) -> AccountName? {
        do {
            return try AccountName(name)
        } catch {
            self.findings.error(position, key, "«\(name)» is not a \(error.kind)", allowed: [error.rule])
            return nil
        }
    }

    private func passwordHash(_ section: Section) -> PasswordHash? {
        let allowed = ["what «entrepot user hash» prints"]
        guard let text = section.required("passwordHash", .secret, allowed) else { return nil }
        do {
            return try PasswordHash(text)
        } catch {
            self.findings.error(section.position(of: "passwordHash"), section.keyPath("passwordHash"), "\(error)", allowed: allowed)
            return nil
        }
    }

    private func check(_ names: [Located<String>], among roles: [String]) {
        for name in names where !roles.contains(name.value) {
            let suggestion = Spelling.suggestion(for: name.value, among: roles)
            self.findings.error(name.position, name.key, "«\(name.value)» is no role of security.roles" + suggestion, allowed: roles)
        }
    }

    /// A mirror's clients send no credentials that count: where nobody in particular may read it, they get nothing from it.
    func checkMirrors(_ configuration: Configuration) {
        guard !configuration.security.openAccess else { return }
        let policy = configuration.security.policy
        let grants = (policy.anonymousRoles ?? []).flatMap { policy.roles[$0] ?? [] }
        for repository in configuration.repositories where repository.mirror {
            let isRead = grants.contains { grant in
                if case .repository(.read, let names, _) = grant { names.matches(repository.name.text) } else { false }
            }
            if isRead { continue }
            self.findings.warning(
                repository.position, "repositories.\(repository.name).mirror",
                "no role of security.anonymous reads it, and clients of a mirror send no credentials that count: they will get nothing from it")
        }
    }
}
