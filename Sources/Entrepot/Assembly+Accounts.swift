import AccessControl
import ArtifactModel
import Audit
import Foundation
import StorageAPI

/// Users and tokens, for commands beside a server and without one. Every change is in the audit trail.
extension Assembly {
    /// - Throws: `AdministrationFailure`, whose text is for people.
    func administer(_ order: AccountOrder, by creator: String) async throws -> AccountReply {
        let reply = try await self.carryOut(order, by: creator)
        if let detail = reply.auditDetail { self.note(.administration, detail) }
        return reply
    }

    private func carryOut(_ order: AccountOrder, by creator: String) async throws -> AccountReply {
        let accounts = self.access.accounts
        switch order {
        case .addUser(let name, let roles, let isRobot, let password):
            let choice: AccountAdministration.NewPassword = isRobot ? .none : password.map { .given($0) } ?? .random
            let account = try await accounts.add(name, password: choice, roles: roles, by: creator)
            return .added(UserReport(account.record), password: account.password)
        case .setPassword(let name, let password):
            let account = try await accounts.setPassword(password.map { .given($0) } ?? .random, of: name)
            return .newPassword(UserReport(account.record), password: account.password)
        case .setRoles(let name, let roles):
            let change = try await accounts.setRoles(roles, of: name)
            return .roles(name: change.name, before: change.before, after: change.after)
        case .listUsers: return .users(try await accounts.users().map(UserReport.init))
        case .removeUser(let name):
            let removal = try await accounts.remove(name)
            return .removed(UserReport(removal.record), tokens: removal.tokens.count)
        case .makeToken(let name, let owner, let grants, let seconds):
            let (text, token) = try await accounts.makeToken(
                name, for: owner, grants: grants, lifetime: seconds.map { .seconds($0) }, by: creator)
            return .token(TokenReport(token, now: Self.clock()), text: text)
        case .listTokens(let owner):
            let now = Self.clock()
            return .tokens(try await accounts.tokens(of: owner).map { TokenReport($0, now: now) })
        case .revokeToken(let id): return .revoked(TokenReport(try await accounts.revoke(token: id), now: Self.clock()))
        }
    }
}

extension AccountReply {
    /// What the audit trail says of it, without secrets; nil: nothing was changed.
    var auditDetail: String? {
        func list(_ roles: [String]) -> String { roles.isEmpty ? "none" : roles.joined(separator: ", ") }
        switch self {
        case .users, .tokens: return nil
        case .added(let user, _): return "\(user.kind) \(user.name) was added, with roles \(list(user.roles))"
        case .newPassword(let user, _): return "the password of \(user.name) was changed"
        case .roles(let name, let before, let after): return "roles of \(name) were changed from \(list(before)) to \(list(after))"
        case .removed(let user, let tokens): return "\(user.kind) \(user.name) was removed, with roles \(list(user.roles)) and \(tokens) tokens in use"
        case .token(let token, _):
            let grants = token.grants.isEmpty ? "all that the owner may do" : list(token.grants)
            return "token \(token.id) «\(token.name)» of \(token.owner) was made, for \(grants), expiring \(token.expires ?? "never")"
        case .revoked(let token): return "token \(token.id) «\(token.name)» of \(token.owner) was revoked"
        }
    }
}

extension UserReport {
    init(_ record: AccountRecord) {
        self.init(
            name: record.name, kind: record.kind.rawValue, roles: record.roles, created: record.created.reportText, createdBy: record.createdBy)
    }

    init(_ user: AccountAdministration.User) {
        let kind =
            switch user.origin {
            case .configuration: "configuration"
            case .user: "user"
            case .robot: "robot"
            }
        self.init(
            name: user.name, kind: kind, roles: user.roles, effectiveRoles: user.effectiveRoles, created: user.created?.reportText,
            createdBy: user.createdBy.isEmpty ? nil : user.createdBy)
    }
}

extension TokenReport {
    init(_ token: TokenRecord, now: Timestamp) {
        self.init(
            id: token.id, owner: token.owner, name: token.name, grants: token.grants,
            state: token.revoked != nil ? "revoked" : token.counts(at: now) ? "valid" : "expired", created: token.created.reportText,
            createdBy: token.createdBy, expires: token.expires?.reportText, revoked: token.revoked?.reportText, lastUsed: token.lastUsed?.reportText,
            lastAddress: token.lastAddress.isEmpty ? nil : token.lastAddress)
    }
}

extension Timestamp {
    /// `2026-11-27T19:43:20Z`.
    fileprivate var reportText: String { Date(timeIntervalSince1970: Double(self.milliseconds / 1000)).formatted(.iso8601) }
}
