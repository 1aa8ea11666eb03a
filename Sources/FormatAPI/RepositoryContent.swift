public import ArtifactModel
public import HTTPTypes
public import NIOCore

/// One repository during one request. Hosted, proxy and group are strategies of the engine behind it.
///
/// Throws `FormatError` where something failed; absence is nil.
public protocol RepositoryContent: Sendable {
    /// Fixed for the request.
    var context: RequestContext { get }
    /// A file. nil: the repository has none at this path. Proxy: kept, arriving, or, for a HEAD, described only.
    func content(_ want: ContentRequest) async throws -> Content?
    /// Where a movable name points. Proxy: what is known for less than `cache.maxAge`, else what the upstream says now.
    func resolve(_ want: PointerRequest) async throws -> Pointer?
    /// Asks the upstream and keeps nothing: listings that only it knows. nil: it has no such thing, or this repository has no upstream.
    func forward(_ call: UpstreamCall) async throws -> UpstreamReply?
    /// What the upstream calls a package whose name is written short: `library/redis` for `redis`. Any other name as it is.
    ///
    /// One thing has one name where it is kept, so that it is found by either of them when the upstream is gone.
    func fullName(_ name: String) -> String
    /// A document that is composed of what components say of themselves: complete, with an entity tag that follows from its bytes. nil: nobody has
    /// anything to say in it.
    func document<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> Content?
    /// One entry of a document, of the first member that has it. nil: none has.
    func entry<Document: DerivedDocument>(
        _ type: Document.Type, _ key: Document.Key, section: String, name: String
    ) async throws -> DocumentEntry?
    /// What a document would be composed of, in the order of the members; nil: nobody has anything to say in it. Throws where what is demanded is not there, and
    /// a member that may have it was in trouble.
    func outlines<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> Gathered<Outline>?
    /// A keyset page of components, pointers, edges, packages or a folder.
    func list(_ query: ContentQuery) async throws -> ContentPage
    /// Streams, hashes and keeps: the bytes are durable and safe from the collector until `StagedBlob.heldUntil`.
    /// - Throws: `.digestMismatch`, `.tooLarge`, `.quotaExceeded`, `.noSpace`, `.readOnly`; `.cancelled` where the body broke off.
    func stage(_ body: ByteStream, _ demand: StageDemand) async throws -> StagedBlob
    /// Bytes that come in several requests. Sessions of one scope, which is the package that they are for, are no use in another.
    func uploads(in scope: String) -> any UploadSessions
    /// All or none; returns when it is durable. Of a group: in the member that it writes to.
    /// - Throws: `Edit.Refused` where a requirement, a link or the write policy says no.
    func commit(_ edit: Edit) async throws

    /// How often a document of the repository itself has changed; 0: there is none. For `Edit.Requirement.generation`.
    func generation(of document: DocumentID) async throws -> Int64
    /// Whether a name would be told to somebody else's server, if it were asked for: not where it is owned here, or held by a hosted member whose format keeps
    /// such names to itself.
    func asksUpstream(about name: String) async throws -> Bool

    // MARK: Groups

    /// What takes the writes: the member of a group, this one elsewhere. What it reads is what it has itself.
    /// - Throws: `.methodNotAllowed` where the group takes none.
    func writable() throws -> any RepositoryContent

    /// Asks each hosted or proxy repository that may know of `name`, all at once: one for each member of a group, this one elsewhere.
    /// - Parameter name: the package, image or path that it is about, which another repository may own; nil: none.
    func gather<Part: Sendable>(_ name: String?, _ ask: @escaping @Sendable (any RepositoryContent) async throws -> Part) async throws -> Gathered<Part>
    /// Whether writes go to another repository than reads may come from, so that what they build on has to be taken over first: `adopt`.
    var adopts: Bool { get }
    /// Has the repository that is written to hold this file as well, from whichever member has it, fetched where it is cold.
    /// - Returns: false: nobody has it, or it may not be read.
    func adopt(_ want: ContentRequest) async throws -> Bool
}

/// What several repositories said.
public struct Gathered<Part: Sendable>: Sendable {
    /// In the group's order, without those that were skipped.
    public var parts: [Part]
    public var skippedMembers: [RepositoryName]
    /// Why the first of them was skipped: to be thrown where the others know nothing.
    public var trouble: FormatError?
    public init(_ parts: [Part], skippedMembers: [RepositoryName] = [], trouble: FormatError? = nil) {
        self.parts = parts
        self.skippedMembers = skippedMembers
        self.trouble = trouble
    }
}

public struct RequestContext: Sendable {
    public var repository: RepositoryName
    /// Who asks; empty: nobody in particular.
    public var principal: String
    public var requestID: String
    /// What the client wants of a file's bytes.
    public var delivery: Delivery
    public var compute: any BlockingPool
    public var notes: RequestNotes
    /// The repository's own address as the client sees it, without a slash at its end: `https://host:port/repository/name`.
    public var publicBase: String
    /// Where a GET of another path of this request's host would lead, by its address alone: the repository, and the path within it. The path
    /// is whole and decoded, from the root of the host on. nil: to no repository.
    public var destination: @Sendable (_ path: [String]) -> (repository: RepositoryName, path: [String])?
    /// Whether who asks holds a further right on this repository, for what is known only when the body has been read.
    public var isAllowed: @Sendable (Access) -> Bool
    /// Whether what is written may take the place of what is there: `writePolicy: allow`, of a group's that of the member that takes the writes.
    public var replaces = true
    /// The server's clock.
    public var now: @Sendable () -> Timestamp = { Timestamp(milliseconds: 0) }
    /// What a client compressed with gzip. nil: it is longer than so many bytes. Throws where it is not gzip.
    public var decompress: @Sendable (_ bytes: ByteBuffer, _ limit: Int) async throws -> ByteBuffer? = { _, _ in nil }
    /// SHA-256, of what is small: of more than a few kilobytes it is the pool's.
    public var digest: @Sendable (_ bytes: ByteBuffer) -> ContentDigest? = { _ in nil }
    /// What a repository of another format holds, with the rights of who asks; nil: there is no such repository, or nothing of the kind in it. For repositories that the
    /// configuration names, and no others.
    public var library: @Sendable (RepositoryName) -> (any ArtifactLibrary)? = { _ in nil }
    /// Whether this repository may show something of another under a name: not where a third one of its format owns the name (`owns`). Of a group, the member that
    /// takes the writes is meant, whose settings hold.
    public var mayShow: @Sendable (_ name: String) -> Bool = { _ in true }
    /// The account of who asks, and the way to one. nil: there is no access control.
    public var account: (any OwnAccount)?
    public init(
        repository: RepositoryName, principal: String, requestID: String, delivery: Delivery = .whole, compute: any BlockingPool,
        notes: RequestNotes = RequestNotes(), publicBase: String = "", isAllowed: @escaping @Sendable (Access) -> Bool = { _ in true },
        account: (any OwnAccount)? = nil,
        destination: @escaping @Sendable (_ path: [String]) -> (repository: RepositoryName, path: [String])? = { _ in nil }
    ) {
        self.isAllowed = isAllowed
        self.account = account
        self.destination = destination
        self.publicBase = publicBase
        self.repository = repository
        self.principal = principal
        self.requestID = requestID
        self.delivery = delivery
        self.compute = compute
        self.notes = notes
    }
}

/// How much of a file is wanted: what a repository that does not hold it yet asks its upstream for.
public enum Delivery: Hashable, Sendable {
    case whole
    /// HEAD: no byte of it.
    case head
    /// The first of the ranges asked for, in bytes; the others follow as they are read.
    case part(PartialRange)

    public enum PartialRange: Hashable, Sendable {
        /// `bytes=0-9` is `0..<10`.
        case closed(Range<Int64>)
        /// `bytes=10-`
        case from(Int64)
        /// `bytes=-10`
        case last(Int64)
    }
}

public struct ContentRequest: Sendable {
    /// Makes the edit that keeps what has arrived. Throwing, it says that the bytes are not what the format takes them for: nothing is kept,
    /// and readers that have not had the last of it are cut off.
    public typealias Record = @Sendable (Arrival) async throws -> Edit

    public var path: AssetPath
    public var change: Mutability
    /// What a proxy asks its upstream for; nil: only what is kept.
    public var upstream: UpstreamResource?
    /// The whole must have these digests. A SHA-256 that the store holds already is linked and not fetched.
    public var expecting: [ContentDigest]
    /// Computed while the bytes pass, beside SHA-256.
    public var computing: Set<ContentDigest.Algorithm>
    /// In bytes: what is longer is not taken from an upstream. nil: only space bounds it.
    public var largest: Int64?
    /// Where the upstream does not say; nil: as it says.
    public var contentType: String?
    /// nil: an asset at `path`, in no component.
    public var record: Record?
    /// Instead of `RequestContext.delivery`.
    public var delivery: Delivery?
    /// Where the asset is in no component and was linked longer ago than this, it counts as linked now, before it is answered: for a client
    /// that asks whether bytes are there, in order not to send them. Best effort; nil: as it is.
    public var renewingAfter: Duration?
    /// What was confirmed longer ago is asked for again, where `cache.maxAge` says longer, and is no answer when the upstream is in trouble.
    public var maxAge: Duration?
    /// What a proxy lets go of where the upstream has this no more and that is to be honoured; nil: the asset at `path`.
    public var removal: Edit?
    /// Proxy: the same as the repository's own settings have it, which in a group are the member's; nil: they change nothing of it. What the request would not ask
    /// an upstream for is not asked for then either.
    public var under: (@Sendable (_ settings: any Sendable) -> ContentRequest)?
    /// Group: asked first, where it is a member; the one that resolved the pointer, so that HEAD, manifest and layers agree.
    public var from: RepositoryName?
    /// Group: a member that holds a component with one of these edges is asked before others that have to ask their upstreams.
    public var mention: Mention?
    /// Group: how the same is asked for where its package has another name; nil: it has one name everywhere.
    public var naming: Naming<ContentRequest>?

    /// What names a file: a component of the package, by an edge of one of the kinds.
    public struct Mention: Hashable, Sendable {
        public var package: PackageName
        public var target: ContentDigest
        public var kinds: [String]
        public init(of target: ContentDigest, in package: PackageName, kinds: [String]) {
            self.package = package
            self.target = target
            self.kinds = kinds
        }
    }

    public init(
        _ path: AssetPath, _ change: Mutability, upstream: UpstreamResource? = nil, expecting: [ContentDigest] = [],
        computing: Set<ContentDigest.Algorithm> = [], largest: Int64? = nil, contentType: String? = nil, delivery: Delivery? = nil,
        renewingAfter: Duration? = nil, record: Record? = nil
    ) {
        self.renewingAfter = renewingAfter
        self.path = path
        self.change = change
        self.upstream = upstream
        self.expecting = expecting
        self.computing = computing
        self.largest = largest
        self.contentType = contentType
        self.delivery = delivery
        self.record = record
    }
}

/// A file that came from an upstream, whole and verified, about to be kept.
public struct Arrival: Sendable {
    public var path: AssetPath
    public var blob: StagedBlob
    public var contentType: String
    /// What was kept of the upstream's headers.
    public var attributes: [String: String]
    /// Asks the upstream that it came from for what belongs to it, and keeps nothing; nil: it has no such thing.
    public var ask: @Sendable (UpstreamCall) async throws -> UpstreamReply?
    /// Tells the operator, in the log.
    public var warn: @Sendable (String) -> Void
    public init(
        path: AssetPath, blob: StagedBlob, contentType: String, attributes: [String: String],
        ask: @escaping @Sendable (UpstreamCall) async throws -> UpstreamReply? = { _ in nil }, warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.ask = ask
        self.warn = warn
        self.path = path
        self.blob = blob
        self.contentType = contentType
        self.attributes = attributes
    }

    public var asset: NewAsset { NewAsset(self.path, self.blob, contentType: self.contentType, attributes: self.attributes) }
}

public struct PointerRequest: Sendable {
    /// The target, out of the headers of the upstream's answer to HEAD; nil: it is not there, and the upstream is asked again by GET.
    public typealias Target = @Sendable (HTTPFields) -> String?
    public var name: PointerName
    /// nil: only what is kept.
    public var upstream: UpstreamResource?
    public var target: Target
    /// A body that had to be read to know the target, in bytes; its `sha256:<hex>` is the target then.
    public var largest: Int
    /// What a target is. A name that leads to something kept is moved only when its new target can be had; nil: at once.
    public var content: (@Sendable (_ target: String) -> ContentRequest?)?
    /// Group: how the same is asked for where its package has another name; nil: it has one name everywhere.
    public var naming: Naming<PointerRequest>?

    public init(
        _ name: PointerName, upstream: UpstreamResource? = nil, largest: Int = 8 << 20, target: @escaping Target = { _ in nil },
        content: (@Sendable (_ target: String) -> ContentRequest?)? = nil
    ) {
        self.content = content
        self.name = name
        self.upstream = upstream
        self.largest = largest
        self.target = target
    }
}

/// A question about a package that may have another name at another member of a group: see `RepositoryContent.fullName`.
public struct Naming<Request: Sendable>: Sendable {
    public var name: String
    /// nil: what the name would be is none.
    public var request: @Sendable (_ name: String) -> Request?
    public init(_ name: String, request: @escaping @Sendable (_ name: String) -> Request?) {
        self.name = name
        self.request = request
    }
}

public struct Pointer: Sendable {
    public var target: String
    public var member: RepositoryName
    /// nil where no cache was involved.
    public var cache: CacheReport?
    /// Members of a group before this one that were in trouble, where the group goes on without them.
    public var skippedMembers: [RepositoryName] = []
    public init(target: String, member: RepositoryName, cache: CacheReport? = nil) {
        self.target = target
        self.member = member
        self.cache = cache
    }
}

extension RepositoryContent {
    public func document<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key) async throws -> Content? {
        try await self.document(type, key, .asConfigured)
    }
    /// Where a name points that only this repository itself can know.
    public func resolve(_ name: PointerName) async throws -> Pointer? { try await self.resolve(PointerRequest(name)) }
    public func forward(_ call: UpstreamCall) async throws -> UpstreamReply? { nil }
    public func fullName(_ name: String) -> String { name }
    public func gather<Part: Sendable>(
        _ name: String?, _ ask: @escaping @Sendable (any RepositoryContent) async throws -> Part
    ) async throws -> Gathered<Part> {
        Gathered([try await ask(self)])
    }
    public func generation(of document: DocumentID) async throws -> Int64 { 0 }
    public func asksUpstream(about name: String) async throws -> Bool { false }
    public func writable() throws -> any RepositoryContent { self }
    public var adopts: Bool { false }
    public func adopt(_ want: ContentRequest) async throws -> Bool { false }
}

/// What bytes must be, and what is wanted of them while they pass.
public struct StageDemand: Sendable {
    /// Where the bytes will go, if that is known: what `writePolicy` refuses there is refused before a byte is read.
    public var target: AssetPath?
    /// Each is computed and compared before the bytes are kept.
    public var expecting: [ContentDigest]
    /// Computed beside SHA-256.
    public var computing: Set<ContentDigest.Algorithm>
    /// In bytes. nil: only the store's quota and space bound it.
    public var limit: Int64?
    public init(target: AssetPath? = nil, expecting: [ContentDigest] = [], computing: Set<ContentDigest.Algorithm> = [], limit: Int64? = nil) {
        self.target = target
        self.expecting = expecting
        self.computing = computing
        self.limit = limit
    }
}

/// What becomes of the bytes of a request whose connection broke.
public enum CutBody: Hashable, Sendable {
    /// They count: the client asks how far it came, and goes on from there.
    case kept
    /// The session is as it was before: the client sends the same request again.
    case dropped
}

/// Uploads of several requests, kept across restarts. Lengths and offsets in bytes. Every call but `begin` throws `.notFound` for a
/// session that is unknown, of another scope, or of another principal.
public protocol UploadSessions: Sendable {
    /// - Returns: the session's name: 32 hex digits of 128 random bits.
    func begin() async throws -> String
    /// nil: no such session in this scope, for this principal.
    func length(of session: String) async throws -> Int64?
    /// `offset` nil: at the end. One writer at a time, else `.conflict`; an offset that is not the length: `.wrongRange`, and nothing is
    /// appended. With `exactly`, a body of another length is `.invalidRequest` and nothing of it counts.
    /// - Returns: the length after it.
    func append(_ body: ByteStream, to session: String, at offset: Int64?, exactly: Int64?, whenCut: CutBody) async throws -> Int64
    /// Ends the session: verifies, keeps and holds the bytes. After `.digestMismatch` the session is gone.
    func finish(_ session: String, expecting digest: ContentDigest) async throws -> StagedBlob
    func cancel(_ session: String) async throws
}

extension UploadSessions {
    /// What came of a cut body counts.
    public func append(_ body: ByteStream, to session: String, at offset: Int64?, exactly: Int64?) async throws -> Int64 {
        try await self.append(body, to: session, at: offset, exactly: exactly, whenCut: .kept)
    }
}
