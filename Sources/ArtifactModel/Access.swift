public enum Action: String, Hashable, Sendable, CaseIterable { case read, write, delete, admin, explain }

/// One right that must be held. `repository` nil: the one the request is for. `path` is what a grant's `:path-glob` is matched with.
public struct Access: Hashable, Sendable {
    public var action: Action
    public var repository: RepositoryName?
    public var path: String?
    public init(_ action: Action, repository: RepositoryName? = nil, path: String? = nil) {
        self.action = action
        self.repository = repository
        self.path = path
    }
}
