public import ArtifactModel

/// What an eviction asks of a repository's rows: how much they keep, what was used longest ago, and what hangs together.
///
/// Answers are of one moment; the edits that follow from them require what must still hold.
public protocol CacheLedger: Sendable {
    /// Sums the bytes of the next `limit` assets after `path`; what several of them name counts once. Those that nobody has used yet count as used
    /// when they were created, and are given that as their use.
    func measure(_ repository: RepositoryID, after path: String, limit: Int) async throws(MetadataError) -> CacheSlice
    /// Assets after `mark`, those that were used longest ago first.
    func leastRecent(in repository: RepositoryID, after mark: UseMark?, limit: Int) async throws(MetadataError) -> [CachedAsset]
    /// What is at these paths, without those that are in a component; in no order.
    func loose(_ paths: [AssetPath], in repository: RepositoryID) async throws(MetadataError) -> [CachedAsset]
    /// nil: it is not there.
    func component(_ coordinates: Coordinates, in repository: RepositoryID) async throws(MetadataError) -> CachedComponent?
    /// Components of the package with an edge to `target`, at most `limit`; of all kinds, or of one.
    func holders(of target: String, in package: PackageName, kind: String?, _ repository: RepositoryID, limit: Int) async throws(MetadataError) -> [CacheHolder]
    /// Whether a component that names the part was used at `moment` or later.
    func isHeld(_ part: Part, since moment: Timestamp, in repository: RepositoryID) async throws(MetadataError) -> Bool
    /// Moves these assets up among the used ones; one that was used later stays where it is.
    func renew(_ assets: [Int64], to moment: Timestamp) async throws(MetadataError)
    /// The bytes of those of the blobs that nothing of the repository names.
    func released(_ blobs: [Int64], from repository: RepositoryID) async throws(MetadataError) -> Int64
}

public struct CacheSlice: Hashable, Sendable {
    public var bytes: Int64
    /// Where the next slice begins; nil: that was the last.
    public var next: String?
    public init(bytes: Int64, next: String?) {
        self.bytes = bytes
        self.next = next
    }
}

/// A place in the order of use.
public struct UseMark: Hashable, Sendable {
    public var lastUsed: Timestamp
    public var asset: Int64
    public init(lastUsed: Timestamp, asset: Int64) {
        self.lastUsed = lastUsed
        self.asset = asset
    }
}

public struct CachedAsset: Hashable, Sendable {
    public var id: Int64
    public var path: AssetPath
    public var blob: Int64
    /// In bytes.
    public var size: Int64
    public var lastUsed: Timestamp
    /// nil: it is in no component.
    public var component: Coordinates?
    public init(id: Int64, path: AssetPath, blob: Int64, size: Int64, lastUsed: Timestamp, component: Coordinates? = nil) {
        self.id = id
        self.path = path
        self.blob = blob
        self.size = size
        self.lastUsed = lastUsed
        self.component = component
    }

    public var mark: UseMark { UseMark(lastUsed: self.lastUsed, asset: self.id) }
}

public struct CachedComponent: Hashable, Sendable {
    public struct Link: Hashable, Sendable {
        public var kind: String
        /// A digest's text.
        public var target: String
        public init(kind: String, target: String) {
            self.kind = kind
            self.target = target
        }
    }
    public var coordinates: Coordinates
    public var assets: [CachedAsset]
    public var links: [Link]
    /// Whether a pointer of its package names its version.
    public var isPointedTo: Bool
    public init(coordinates: Coordinates, assets: [CachedAsset], links: [Link], isPointedTo: Bool) {
        self.coordinates = coordinates
        self.assets = assets
        self.links = links
        self.isPointedTo = isPointedTo
    }

    /// Of all its assets the latest; nil: it has none.
    public var lastUsed: Timestamp? { self.assets.map(\.lastUsed).max() }
}

/// A component that names something.
public struct CacheHolder: Hashable, Sendable {
    public var version: String
    /// nil: it has no assets.
    public var lastUsed: Timestamp?
    public init(version: String, lastUsed: Timestamp?) {
        self.version = version
        self.lastUsed = lastUsed
    }
}
