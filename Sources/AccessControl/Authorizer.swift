public import ArtifactModel

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

/// Roles made of grants: what no grant of the principal's roles gives is refused, and what its credential is not for.
public struct GrantAuthorizer: Authorizer {
    private let roles: [String: [Grant]]

    /// - Parameter roles: by name, as in `security.roles`. `admin` is always there, and has every right.
    public init(roles: [String: [Grant]]) { self.roles = roles.merging([Self.administrator: Self.everything]) { own, _ in own } }

    /// The role that has every right.
    public static let administrator = "admin"
    private static let everything: [Grant] =
        Action.allCases.map { .repository($0, repository: .any, path: nil) } + SystemRight.allCases.map { .system($0) }

    public func refused(_ accesses: [Access], of repository: RepositoryName, by principal: Principal) -> [Access] {
        let grants = self.grants(of: principal)
        return accesses.filter { access in
            !(grants.contains { $0.covers(access, of: repository) } && principal.limits.cover(access, of: repository))
        }
    }

    public func has(_ right: SystemRight, _ principal: Principal) -> Bool {
        guard self.grants(of: principal).contains(.system(right)) else { return false }
        return switch principal.limits {
        case .none: true
        case .grants(let grants): grants.contains(.system(right))
        case .permits: false
        }
    }

    private func grants(of principal: Principal) -> [Grant] {
        if principal.roles.count == 1 { return self.roles[principal.roles[0]] ?? [] }
        return principal.roles.flatMap { self.roles[$0] ?? [] }
    }
}

extension Principal.Limits {
    func cover(_ access: Access, of repository: RepositoryName) -> Bool {
        switch self {
        case .none: return true
        case .grants(let grants): return grants.contains { $0.covers(access, of: repository) }
        case .permits(let permits, let catalog):
            let name = access.repository ?? repository
            return permits.contains { permit in
                permit.repository == name && permit.actions.contains(access.action) && access.paths.contains { access.extent.meets(permit.path, $0) }
            } || (catalog && access.action == .read && access.extent == .below && access.path == "")
        }
    }
}
