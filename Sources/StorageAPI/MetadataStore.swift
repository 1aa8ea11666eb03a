public import ArtifactModel

public struct MetadataError: Error, Sendable {
    public enum Code: Hashable, Sendable {
        case refused(Edit.Refused)
        /// A blob of the edit is no longer held: its lease ran out before the commit. The caller stages it anew.
        case blobGone
        case busy, noSpace, corrupt, io, cancelled
    }
    public var code: Code
    public var message: String
    public var cause: (any Error)?
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

/// What repositories hold: assets, components, pointers, edges. Reads see what is committed; a commit is all or none and on disk when
/// it returns.
public protocol MetadataStore: DocumentLedger {
    func asset(at path: AssetPath, in repository: RepositoryID) async throws(MetadataError) -> StoredAsset?
    func pointer(_ name: PointerName, in repository: RepositoryID) async throws(MetadataError) -> String?
    func rows(_ query: ContentQuery, in repository: RepositoryID) async throws(MetadataError) -> ContentPage
    /// Whether there is a component of the package.
    func holds(_ package: PackageName, in repository: RepositoryID) async throws(MetadataError) -> Bool
    /// What is known of the upstream's copy of `subject`; nil: it was never asked.
    func upstreamState(of subject: String, in repository: RepositoryID) async throws(MetadataError) -> UpstreamState?
    /// Forgets when the upstream was asked last, for the subjects that begin with `prefix`: the next request asks again.
    /// - Returns: how many.
    func expireUpstreamStates(_ prefix: String, in repository: RepositoryID) async throws(MetadataError) -> Int
    /// - Throws: `.refused` with the requirement or change that does not hold; nothing was changed then.
    func commit(_ edit: RepositoryEdit) async throws(MetadataError)
}

extension MetadataStore {
    public func holds(_ package: PackageName, in repository: RepositoryID) async throws(MetadataError) -> Bool {
        try await !self.rows(ContentQuery(.components(package), limit: 1), in: repository).rows.isEmpty
    }
}

public struct StoredAsset: Hashable, Sendable {
    public var path: AssetPath
    /// SHA-256 first.
    public var digests: [ContentDigest]
    public var size: Int64
    public var contentType: String
    public var attributes: [String: String]
    public var created: Timestamp
    public init(path: AssetPath, digests: [ContentDigest], size: Int64, contentType: String, attributes: [String: String], created: Timestamp) {
        self.path = path
        self.digests = digests
        self.size = size
        self.contentType = contentType
        self.attributes = attributes
        self.created = created
    }
}

/// An edit with what the storage needs to know about it.
public struct RepositoryEdit: Sendable {
    public var repository: RepositoryID
    /// Where the edit's blobs are.
    public var store: BlobStoreID
    public var edit: Edit
    public var policy: WritePolicy
    /// The repositories that `Change.link` may take from, already authorised; one that is missing here is refused as a link.
    public var sources: [RepositoryName: RepositoryID]
    /// Written with the edit: what the upstream said.
    public var states: [UpstreamState]
    public var principal: String
    public var now: Timestamp

    public init(
        repository: RepositoryID, store: BlobStoreID, edit: Edit, policy: WritePolicy = .allow, sources: [RepositoryName: RepositoryID] = [:],
        states: [UpstreamState] = [], principal: String = "", now: Timestamp
    ) {
        self.repository = repository
        self.store = store
        self.edit = edit
        self.policy = policy
        self.sources = sources
        self.states = states
        self.principal = principal
        self.now = now
    }
}
