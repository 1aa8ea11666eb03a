public import ArtifactModel

/// What a repository of another format holds as artifacts with a configuration and files, for a format that shows them too: read alone, and with the rights of who asks.
/// So formats share what they hold, and do not know of each other.
public protocol ArtifactLibrary: Sendable {
    /// How often anything there has changed since the server started: equal numbers, equal artifacts.
    var changes: UInt64 { get }
    /// All whose configuration is of this media type and that a name leads to. Long work where there are many: for who remembers it by `changes`.
    func artifacts(ofType type: String) async throws -> [LibraryArtifact]
    func mayRead(_ artifact: LibraryArtifact) -> Bool
    /// nil: it has gone meanwhile.
    func description(of artifact: LibraryArtifact) async throws -> LibraryDescription?
    /// The configuration or a file. nil: it has gone meanwhile.
    func content(_ digest: ContentDigest, of artifact: LibraryArtifact) async throws -> Content?
}

public struct LibraryArtifact: Hashable, Sendable {
    /// As grants speak of it.
    public var package: PackageName
    public var digest: ContentDigest
    public var created: Timestamp
    public init(package: PackageName, digest: ContentDigest, created: Timestamp) {
        self.package = package
        self.digest = digest
        self.created = created
    }
}

/// What an artifact is made of.
public struct LibraryDescription: Sendable {
    public struct File: Sendable {
        public var mediaType: String
        public var digest: ContentDigest
        /// In bytes.
        public var size: Int64
        public init(mediaType: String, digest: ContentDigest, size: Int64) {
            self.mediaType = mediaType
            self.digest = digest
            self.size = size
        }
    }
    public var configuration: File
    public var files: [File]
    public init(configuration: File, files: [File]) {
        self.configuration = configuration
        self.files = files
    }
}
