import Foundation

/// What a command asks to be done about users and tokens. It goes to the server in a request's body: some of it is secret.
enum AccountOrder: Codable, Sendable {
    /// - Parameter password: nil: one is made.
    case addUser(name: String, roles: [String], isRobot: Bool, password: String?)
    /// - Parameter password: nil: one is made.
    case setPassword(name: String, password: String?)
    case setRoles(name: String, roles: [String])
    case listUsers
    case removeUser(name: String)
    case makeToken(name: String, owner: String, grants: [String], lifetimeSeconds: Int64?)
    /// - Parameter owner: nil: everyone's.
    case listTokens(owner: String?)
    case revokeToken(id: Int64)

    var isChange: Bool {
        switch self {
        case .listUsers, .listTokens: false
        default: true
        }
    }
}

/// What came of it, as JSON for scripts; a command prints it for people.
enum AccountReply: Codable, Sendable {
    /// - Parameter password: where it was made here; it is told once.
    case added(UserReport, password: String?)
    case newPassword(UserReport, password: String?)
    case roles(name: String, before: [String], after: [String])
    case users([UserReport])
    /// - Parameter tokens: how many could still be used until then.
    case removed(UserReport, tokens: Int)
    /// - Parameter text: the token itself; it is told once.
    case token(TokenReport, text: String)
    case tokens([TokenReport])
    case revoked(TokenReport)
}

struct UserReport: Codable, Sendable {
    var name: String
    /// `user`, `robot` or `configuration`.
    var kind: String
    /// Its own.
    var roles: [String]
    /// With those of its groups, and everybody's.
    var effectiveRoles: [String]?
    /// RFC 3339; nil for those of the configuration.
    var created: String?
    var createdBy: String?
}

struct TokenReport: Codable, Sendable {
    var id: Int64
    var owner: String
    var name: String
    /// Empty: it may do what its owner may.
    var grants: [String]
    /// `valid`, `expired` or `revoked`.
    var state: String
    /// RFC 3339, as all times here.
    var created: String
    var createdBy: String
    var expires: String?
    var revoked: String?
    var lastUsed: String?
    var lastAddress: String?
}
