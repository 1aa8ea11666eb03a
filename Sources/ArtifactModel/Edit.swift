/// One transaction on one repository, as a value: requirements and changes, all or none.
public struct Edit: Sendable {
    public enum Requirement: Hashable, Sendable {
        case absent(Coordinates)
        /// Each is there, with all its bytes.
        case present([Coordinates])
        /// Every path names an asset. Looked at under the write lock: no manifest commits over a layer that a delete took meanwhile.
        case linked([AssetPath])
        /// The asset's SHA-256 is among these; nil in the set: it may be absent.
        case asset(AssetPath, among: Set<ContentDigest?>)
        /// The pointer's target is among these; nil in the set: it may be absent. Compare and set.
        case pointer(PointerName, among: Set<String?>)
        /// No edge of the part's package names its target. Looked at under the write lock, as `.linked` is: of a manifest and a sweep that
        /// meet over a layer, one is refused.
        case unnamed(Part)
        /// The document has changed this often, as `RepositoryContent.generation` said: compare and set, for all that it shows.
        case generation(DocumentID, Int64)
        /// The asset is there, in no component, and was linked or renewed before this moment.
        case loose(AssetPath, before: Timestamp)
    }

    public enum Change: Sendable {
        /// Adds a component, or replaces the one at these coordinates: its assets and edges are then exactly these.
        case put(Component)
        /// Adds to the component at these coordinates, made where there is none: assets, edges and fragments come beside those that it has, or in the place of
        /// those of their path and name; attributes are merged in (RFC 7396). For formats whose clients send a version file by file.
        case extend(Component, Redeploy)
        /// What one component adds to a document, and does not any more.
        case removeFragment(DocumentID, section: String, name: String)
        /// Removes the component, its assets, its edges, and the pointers of its package that name its version.
        case remove(Coordinates)
        /// A package's row without a component in it; `attributes` is the format's JSON.
        case setPackage(PackageName, attributes: String)
        /// Changes what the patch names of a package's attributes (RFC 7396), and leaves the rest: two that change different things both do.
        case patchPackage(PackageName, with: String)
        case putAsset(NewAsset, Redeploy)
        case removeAsset(AssetPath)
        /// A second name for bytes that another repository (or this one) holds at the second path. The engine checks that it may be
        /// read; not allowed and not there are one failed requirement, `Edit.Refused.link`. `reading` is what a grant's path-glob is matched
        /// with: the package that the second path is of; nil: that path itself.
        case link(AssetPath, from: RepositoryName, AssetPath, reading: String? = nil)
        case point(PointerName, to: String, Redeploy)
        case unpoint(PointerName)
        /// An asset outside every component counts as linked now. Nothing happens where there is none. Not a matter of the write policy's
        /// `allowOnce`: no bytes change.
        case renew(AssetPath)
    }

    /// Whether all it does is to take away: such an edit may use space that is kept back from the others.
    public var onlyRemoves: Bool {
        self.changes.allSatisfy { change in
            switch change {
            case .remove, .removeAsset, .removeFragment, .unpoint: true
            case .put, .extend, .setPackage, .patchPackage, .putAsset, .link, .point, .renew: false
            }
        }
    }

    /// Whether the repository's `writePolicy` speaks about this change.
    public enum Redeploy: Hashable, Sendable {
        /// With `allowOnce`, what is there may only be written again with equal content.
        case byPolicy
        /// Blobs, and tags that clients rewrite by design.
        case always
    }

    public var requirements: [Requirement]
    public var changes: [Change]
    /// Documents that show something else after it, beside those that a component's fragments name: a dist-tag moved.
    public var touches: Set<DocumentID>

    public init(requiring requirements: [Requirement] = [], _ changes: [Change], touching touches: Set<DocumentID> = []) {
        self.touches = touches
        self.requirements = requirements
        self.changes = changes
    }

    /// Why a commit was refused. Nothing was changed.
    public enum Refused: Error, Hashable, Sendable {
        /// `requirements[index]` of the edit does not hold.
        case requirement(Int)
        /// `changes[index]` is a `link` whose source is not there or may not be read.
        case link(Int)
        /// `changes[index]` would replace what `writePolicy: allowOnce` protects.
        case policy(Int)
        /// `changes[index]` removes what is not there.
        case missing(Int)
    }
}

/// One version of one package, as it is published.
public struct Component: Sendable {
    public var coordinates: Coordinates
    /// JSON that only the format reads.
    public var attributes: String
    /// `memcmp` order of versions, made by the format; empty: no order.
    public var sortKey: [UInt8]
    public var assets: [NewAsset]
    public var edges: [Edge]
    /// What it adds to documents of a hosted repository.
    public var fragments: [Fragment]

    public init(
        _ coordinates: Coordinates, attributes: String = "{}", sortKey: [UInt8] = [], assets: [NewAsset], edges: [Edge] = [], fragments: [Fragment] = []
    ) {
        self.fragments = fragments
        self.coordinates = coordinates
        self.attributes = attributes
        self.sortKey = sortKey
        self.assets = assets
        self.edges = edges
    }
}

/// What a component refers to. `kind` is the format's word (`config`, `layer`, `child`, `subject`); the target need not exist.
/// `artifactType` is the referrer's, empty where it has none.
public struct Edge: Hashable, Sendable {
    public var kind: String
    public var target: ContentDigest
    public var artifactType: String
    public init(kind: String, target: ContentDigest, artifactType: String = "") {
        self.kind = kind
        self.target = target
        self.artifactType = artifactType
    }
}

/// A path and the bytes it will name.
public struct NewAsset: Sendable {
    public var path: AssetPath
    public var blob: StagedBlob
    public var contentType: String
    public var attributes: [String: String]
    public init(_ path: AssetPath, _ blob: StagedBlob, contentType: String, attributes: [String: String] = [:]) {
        self.path = path
        self.blob = blob
        self.contentType = contentType
        self.attributes = attributes
    }
}

/// Bytes that the store has and the collector leaves alone until `heldUntil`, or for good once a commit links them.
/// `digests` has SHA-256 first, then what the format asked for. `size` in bytes.
public struct StagedBlob: Sendable {
    public let digests: [ContentDigest]
    public let size: Int64
    public let heldUntil: Timestamp
    public let source: any ContentSource
    public init(digests: [ContentDigest], size: Int64, heldUntil: Timestamp, source: any ContentSource) {
        self.digests = digests
        self.size = size
        self.heldUntil = heldUntil
        self.source = source
    }
}
