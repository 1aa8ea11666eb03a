import AccessControl
import ArtifactModel

extension ConfigurationReader {
    func security(_ section: Section, repositories: [RepositoryName]) -> Security {
        let anonymous = section.section("anonymous")
        let anonymousEnabled = anonymous.value("enabled", .bool, default: false)
        let anonymousRoles = anonymous.list("roles", .nonEmpty)
        anonymous.finish()
        let roles = self.roles(section.section("roles"), repositories: repositories)
        let users = section.section("users").members().compactMap { self.user($0.section, name: $0.name, position: $0.position, roles: Array(roles.keys)) }
        let openAccess = section.value("openAccess", .bool, default: false)
        section.finish()
        self.check(anonymousRoles, among: Array(roles.keys))
        return Security(
            anonymousEnabled: anonymousEnabled, anonymousRoles: anonymousRoles.map(\.value), roles: roles, users: users, openAccess: openAccess)
    }

    private func roles(_ section: Section, repositories: [RepositoryName]) -> [String: [Grant]] {
        let kind = ValueKind<Grant>.type { text throws(InvalidName) in try Grant(text) }
        var roles: [String: [Grant]] = [:]
        for name in section.keys {
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

    private func user(_ section: Section, name: String, position: Position, roles: [String]) -> Security.User? {
        let isName = (1...128).contains(name.utf8.count) && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ":") }
        if !isName { self.findings.error(position, section.key, "«\(name)» is not a user's name", allowed: ["1 to 128 bytes without blanks and colons"]) }
        let hash = section.required("passwordHash", .secret, ["a password's hash"])
        let own = section.list("roles", .nonEmpty)
        section.finish()
        self.check(own, among: roles)
        guard let hash else { return nil }
        if hash.isEmpty {
            self.findings.error(section.position(of: "passwordHash"), section.keyPath("passwordHash"), "is empty", allowed: ["a password's hash"])
        }
        return Security.User(name: name, passwordHash: hash, roles: own.map(\.value))
    }

    private func check(_ names: [Located<String>], among roles: [String]) {
        for name in names where !roles.contains(name.value) {
            let suggestion = Spelling.suggestion(for: name.value, among: roles)
            self.findings.error(name.position, name.key, "«\(name.value)» is no role of security.roles" + suggestion, allowed: roles.sorted())
        }
    }
}
