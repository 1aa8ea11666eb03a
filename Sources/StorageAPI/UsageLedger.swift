public import ArtifactModel

/// When files were used last. Written behind: never in the transaction of a request.
public protocol UsageLedger: Sendable {
    /// Adds to what is known of each, in one transaction. What is not there any more, or not yet, is left out.
    func note(_ uses: [AssetUse]) async throws(MetadataError)
}

/// What became of one file since it was noted last.
public struct AssetUse: Hashable, Sendable {
    public var repository: RepositoryID
    public var path: AssetPath
    public var lastUsed: Timestamp
    public var downloads: Int64
    public init(repository: RepositoryID, path: AssetPath, lastUsed: Timestamp, downloads: Int64) {
        self.repository = repository
        self.path = path
        self.lastUsed = lastUsed
        self.downloads = downloads
    }
}
