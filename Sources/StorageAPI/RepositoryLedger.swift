public import ArtifactModel

/// Gives names their numbers.
public protocol RepositoryLedger: Sendable {
    /// Numbers for these blob stores, new ones for new names.
    func adopt(stores: [String], now: Timestamp) async throws(MetadataError) -> [String: BlobStoreID]
    /// Numbers for these repositories, in their order: new ones for new names, `revision` + 1 where the configuration changed.
    /// Those that are known and not listed stay as they are, with all they hold.
    /// - Throws: `.corrupt` where a name is known with another format, role or store: its content would be misread.
    func adopt(repositories: [RepositoryDeclaration], now: Timestamp) async throws(MetadataError) -> [RepositoryRecord]
    func repositories() async throws(MetadataError) -> [RepositoryRecord]
}

public struct RepositoryDeclaration: Hashable, Sendable {
    public var name: RepositoryName
    public var format: String
    public var role: Role
    public var store: BlobStoreID
    /// JSON, secrets left out.
    public var configuration: String
    public init(name: RepositoryName, format: String, role: Role, store: BlobStoreID, configuration: String) {
        self.name = name
        self.format = format
        self.role = role
        self.store = store
        self.configuration = configuration
    }
}

public struct RepositoryRecord: Hashable, Sendable {
    public var id: RepositoryID
    public var declaration: RepositoryDeclaration
    public var revision: Int64
    public init(id: RepositoryID, declaration: RepositoryDeclaration, revision: Int64) {
        self.id = id
        self.declaration = declaration
        self.revision = revision
    }
}
