public import ArtifactModel

/// Who asks. The name is empty for nobody in particular.
public struct Principal: Hashable, Sendable {
    public var name: String
    /// Names of roles; one that is not known gives nothing.
    public var roles: [String]
    public init(name: String, roles: [String] = []) {
        self.name = name
        self.roles = roles
    }

    public var isAnonymous: Bool { self.name.isEmpty }
    /// Nobody in particular, with the roles that `security.anonymous` gives.
    public static func anonymous(roles: [String] = []) -> Principal { Principal(name: "", roles: roles) }
}

/// Says what is not allowed. Pure and quick: asked on event loops, before any work.
public protocol Authorizer: Sendable {
    /// Those of `accesses` that the principal lacks, in their order; empty: go on.
    /// - Parameter repository: what an access without a repository is about.
    func refused(_ accesses: [Access], of repository: RepositoryName, by principal: Principal) -> [Access]
    func has(_ right: SystemRight, _ principal: Principal) -> Bool
}

/// No access control: everyone may do everything.
public struct OpenAccess: Authorizer {
    public init() {}
    public func refused(_ accesses: [Access], of repository: RepositoryName, by principal: Principal) -> [Access] { [] }
    public func has(_ right: SystemRight, _ principal: Principal) -> Bool { true }
}

/// Roles made of grants: what no grant of the principal's roles gives is refused.
public struct GrantAuthorizer: Authorizer {
    private let roles: [String: [Grant]]

    /// - Parameter roles: by name, as in `security.roles`.
    public init(roles: [String: [Grant]]) { self.roles = roles }

    public func refused(_ accesses: [Access], of repository: RepositoryName, by principal: Principal) -> [Access] {
        let grants = self.grants(of: principal)
        return accesses.filter { access in !grants.contains { $0.covers(access, of: repository) } }
    }

    public func has(_ right: SystemRight, _ principal: Principal) -> Bool { self.grants(of: principal).contains(.system(right)) }

    private func grants(of principal: Principal) -> [Grant] { principal.roles.flatMap { self.roles[$0] ?? [] } }
}
