public import ArtifactModel
public import FormatAPI

/// What a registry is asked for. OCI distribution-spec 1.1, «Endpoints».
public struct OCIOperation: FormatOperation {
    enum Kind: Hashable, Sendable {
        case catalog(Paging)
        case tags(ImageName, Paging)
        case readManifest(ImageName, Reference)
        /// `tags`: further names for a manifest that is pushed by its digest.
        case writeManifest(ImageName, Reference, tags: [Tag])
        case removeManifest(ImageName, Reference)
        case readBlob(ImageName, ContentDigest)
        case removeBlob(ImageName, ContentDigest)
        case beginUpload(ImageName)
        case uploadBlob(ImageName, ContentDigest)
        case mountBlob(ImageName, ContentDigest, from: String)
        case uploadStatus(ImageName, session: String)
        case appendChunk(ImageName, session: String, at: ChunkRange?)
        case closeUpload(ImageName, session: String, ContentDigest, at: ChunkRange?)
        case cancelUpload(ImageName, session: String)
        case referrers(ImageName, ContentDigest, artifactType: String?, after: String?)
    }
    let kind: Kind
    init(_ kind: Kind) { self.kind = kind }

    public var name: StaticString {
        switch self.kind {
        case .catalog: "catalog"
        case .tags: "tags"
        case .readManifest: "manifest.read"
        case .writeManifest: "manifest.write"
        case .removeManifest: "manifest.delete"
        case .readBlob: "blob.read"
        case .removeBlob: "blob.delete"
        case .beginUpload, .uploadBlob, .uploadStatus, .appendChunk, .closeUpload, .cancelUpload: "blob.write"
        case .mountBlob: "blob.mount"
        case .referrers: "referrers"
        }
    }

    /// The right to read the image that a blob is mounted from is not among them: without it the mount is an upload, not a refusal.
    public var accesses: [Access] {
        switch self.kind {
        case .catalog: [.some(.read, below: "")]
        case .tags(let image, _), .readManifest(let image, _), .readBlob(let image, _), .referrers(let image, _, _, _): [Access(.read, path: image.text)]
        case .removeManifest(let image, _), .removeBlob(let image, _): [Access(.delete, path: image.text)]
        case .writeManifest(let image, _, _), .beginUpload(let image), .uploadBlob(let image, _), .mountBlob(let image, _, _),
            .uploadStatus(let image, _), .appendChunk(let image, _, _), .closeUpload(let image, _, _, _), .cancelUpload(let image, _):
            [Access(.write, path: image.text)]
        }
    }
}

extension OCIOperation {
    public var subject: String {
        switch self.kind {
        case .catalog: ""
        case .readManifest(let image, let reference), .writeManifest(let image, let reference, _), .removeManifest(let image, let reference):
            "\(image)\(reference.suffix)"
        case .readBlob(let image, let digest), .removeBlob(let image, let digest), .uploadBlob(let image, let digest),
            .mountBlob(let image, let digest, _), .closeUpload(let image, _, let digest, _), .referrers(let image, let digest, _, _):
            "\(image)@\(digest)"
        case .tags(let image, _), .beginUpload(let image), .uploadStatus(let image, _), .appendChunk(let image, _, _), .cancelUpload(let image, _): image.text
        }
    }
}

extension Reference {
    /// As in what docker's clients call an image: `:1.0`, `@sha256:…`.
    fileprivate var suffix: String {
        switch self {
        case .tag(let tag): ":\(tag)"
        case .digest(let digest): "@\(digest)"
        }
    }
}

extension OCIOperation.Kind {
    /// The same of another image, where something is read or let go of; what is written goes where it was sent.
    func reading(_ image: (ImageName) -> ImageName) -> Self {
        switch self {
        case .tags(let name, let paging): .tags(image(name), paging)
        case .readManifest(let name, let reference): .readManifest(image(name), reference)
        case .removeManifest(let name, let reference): .removeManifest(image(name), reference)
        case .readBlob(let name, let digest): .readBlob(image(name), digest)
        case .removeBlob(let name, let digest): .removeBlob(image(name), digest)
        case .referrers(let name, let digest, let type, let after): .referrers(image(name), digest, artifactType: type, after: after)
        case .catalog, .writeManifest, .beginUpload, .uploadBlob, .mountBlob, .uploadStatus, .appendChunk, .closeUpload, .cancelUpload: self
        }
    }
}

/// A page as clients ask for it: `?n=&last=`.
struct Paging: Hashable, Sendable {
    /// Rows in a page; nil: as many as we like.
    var count: Int?
    /// Exclusive, byte-wise; need not exist.
    var last: String?
}

/// `Content-Range` of a chunk: `first-last`, both inclusive, in bytes.
struct ChunkRange: Hashable, Sendable {
    let first: Int64
    let length: Int64

    /// nil where the text is no range.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = Self.number(parts[0]), let last = Self.number(parts[1]), last >= first, last < 1 << 60 else { return nil }
        self.first = first
        self.length = last - first + 1
    }

    private static func number(_ text: Substring) -> Int64? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text)
    }
}
extension OCIOperation {
    /// Who may read an image may list its tags and referrers, and has pulled nothing by it.
    public var isFetch: Bool {
        switch self.kind {
        case .readManifest, .readBlob: true
        default: false
        }
    }
}
