public import ArtifactModel

/// Who asks, as far as access control found out. The name is empty for nobody in particular.
public struct Principal: Hashable, Sendable {
    /// How it is known who it is.
    public enum Means: Hashable, Sendable {
        case nobody
        case password
        case token(id: Int64, name: String)
        /// Signed by this server for what was asked for then: a docker client's bearer token.
        case ticket
        /// The admin page's cookie.
        case session
        /// The control socket: whoever may open it.
        case socket

        /// For logs and people; empty for nobody.
        public var words: String {
            switch self {
            case .nobody: ""
            case .password: "password"
            case .token(_, let name): "token \(name)"
            case .ticket: "ticket"
            case .session: "session"
            case .socket: "socket"
            }
        }
    }
    /// What a credential is confined to, of what the roles give.
    public enum Limits: Hashable, Sendable {
        case none
        case grants([Grant])
        case permits([Permit], catalog: Bool)
    }

    /// What the knowledge hangs on: where that changes or goes, so does everything that was signed for it.
    public enum Basis: Hashable, Sendable {
        case nothing
        /// The password that had this epoch; of a static user it is made of the hash.
        case password(epoch: [UInt8])
        case token(id: Int64)
    }

    public var name: String
    /// Names of roles; one that is not known gives nothing.
    public var roles: [String]
    public var means: Means
    public var limits: Limits
    public var basis: Basis

    public init(name: String, roles: [String] = [], means: Means = .password, limits: Limits = .none, basis: Basis = .nothing) {
        self.name = name
        self.roles = roles
        self.means = means
        self.limits = limits
        self.basis = basis
    }

    public var isAnonymous: Bool { self.name.isEmpty }
    /// Nobody in particular, with the roles that `security.anonymous` gives.
    public static func anonymous(roles: [String] = []) -> Principal { Principal(name: "", roles: roles, means: .nobody) }
}
