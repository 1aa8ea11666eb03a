/// Actions on one path of one repository, such as a client asks a token service for.
public struct Permit: Hashable, Sendable {
    public var repository: RepositoryName
    /// As in `Access.path`.
    public var path: String
    public var actions: [Action]
    public init(repository: RepositoryName, path: String, actions: [Action]) {
        self.repository = repository
        self.path = path
        self.actions = actions
    }
}
