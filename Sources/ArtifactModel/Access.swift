public enum Action: String, Hashable, Sendable, CaseIterable { case read, write, delete, admin, explain }

/// One right that must be held. `repository` nil: the one the request is for. `path` is what a grant's `:path-glob` is matched with.
public struct Access: Hashable, Sendable {
    /// How much of the repository must be covered.
    public enum Extent: Hashable, Sendable {
        /// The path alone; without one, the whole repository.
        case exact
        /// Anything whose path begins with `path`: who may see some of a list gets that part of it.
        case below

        /// Whether a right for `held` alone is one for `asked`.
        public func meets(_ held: String, _ asked: String) -> Bool {
            switch self {
            case .exact: ByteText.equal(held, asked)
            case .below: held.utf8.starts(with: asked.utf8)
            }
        }
    }
    public var action: Action
    public var repository: RepositoryName?
    public var path: String?
    public var extent: Extent
    /// A right on this is as good: of what stands both for a folder's name and for a file in it.
    public var alternative: String?
    public init(_ action: Action, repository: RepositoryName? = nil, path: String? = nil, or alternative: String? = nil) {
        self.alternative = alternative
        self.action = action
        self.repository = repository
        self.path = path
        self.extent = .exact
    }

    /// What a right may be on.
    public var paths: [String] { [self.path, self.alternative].compactMap(\.self) }

    /// For lists: held by who may act on anything whose path begins with `prefix`; what of the list is shown is what may be read of it.
    public static func some(_ action: Action, below prefix: String) -> Access {
        var access = Access(action, path: prefix)
        access.extent = .below
        return access
    }
}
