public import ArtifactModel

/// Who may go on with an upload. The bytes' own length is the truth about how far it came.
public protocol UploadLedger: Sendable {
    func open(_ upload: UploadRecord) async throws(MetadataError)
    func upload(_ id: UploadID) async throws(MetadataError) -> UploadRecord?
    func extend(_ id: UploadID, until: Timestamp) async throws(MetadataError)
    func close(_ id: UploadID) async throws(MetadataError)
    /// Those that expired before `now`, oldest first.
    func expired(before now: Timestamp, limit: Int) async throws(MetadataError) -> [UploadRecord]
}

public struct UploadRecord: Hashable, Sendable {
    public var id: UploadID
    public var repository: RepositoryID
    public var scope: String
    public var owner: String
    public var expires: Timestamp
    public init(id: UploadID, repository: RepositoryID, scope: String, owner: String, expires: Timestamp) {
        self.id = id
        self.repository = repository
        self.scope = scope
        self.owner = owner
        self.expires = expires
    }
}
