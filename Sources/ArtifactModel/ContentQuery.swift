/// A keyset page: at most `limit` rows after `after`, in the byte-wise order of their names.
public struct ContentQuery: Hashable, Sendable {
    public enum Subject: Hashable, Sendable {
        /// The repository's packages. A row's name is `namespace/name`, or the bare name where there is no namespace.
        case packages
        /// The one package of this name, or no row.
        case package(PackageName)
        /// Its components; a row's name is the version, its digest, size and content type those of its first asset.
        case components(PackageName)
        /// Its pointers of this kind; a row's name is the pointer's, `target` what it points to.
        case pointers(PackageName, kind: String)
        /// Components of the package with an edge of this kind to `to`; rows as for `components`.
        case edges(to: ContentDigest, in: PackageName, kind: String, artifactType: String?)
        /// What is directly in a folder, or in the repository's root: files and folders, by name. A folder's row has no digest.
        case folder(AssetPath?)
    }

    public var subject: Subject
    /// Exclusive, byte-wise; need not exist.
    public var after: String?
    /// 1 to 10,000.
    public var limit: Int

    public init(_ subject: Subject, after: String? = nil, limit: Int) {
        self.subject = subject
        self.after = after
        self.limit = limit
    }
}

public struct ContentRow: Hashable, Sendable {
    public var name: String
    /// The component's or package's JSON; `{}` elsewhere.
    public var attributes: String
    /// A pointer's; empty elsewhere.
    public var target: String
    /// An edge's `artifactType`; empty elsewhere.
    public var artifactType: String
    public var contentType: String
    /// In bytes; 0 for what has none.
    public var size: Int64
    /// SHA-256; nil for folders, packages and pointers.
    public var digest: ContentDigest?
    public var updated: Timestamp

    public init(
        name: String, attributes: String = "{}", target: String = "", artifactType: String = "", contentType: String = "", size: Int64 = 0,
        digest: ContentDigest? = nil, updated: Timestamp
    ) {
        self.name = name
        self.attributes = attributes
        self.target = target
        self.artifactType = artifactType
        self.contentType = contentType
        self.size = size
        self.digest = digest
        self.updated = updated
    }
}

public struct ContentPage: Hashable, Sendable {
    public var rows: [ContentRow]
    /// Further rows follow the last one.
    public var more: Bool
    /// Members of a group that could not be asked: what they have is not in it.
    public var skippedMembers: [RepositoryName]
    public init(rows: [ContentRow], more: Bool, skippedMembers: [RepositoryName] = []) {
        self.rows = rows
        self.more = more
        self.skippedMembers = skippedMembers
    }
}
