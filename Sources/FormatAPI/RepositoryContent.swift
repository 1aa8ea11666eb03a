public import ArtifactModel

/// One repository during one request. Hosted, proxy and group are strategies of the engine behind it.
///
/// Throws `FormatError` where something failed; absence is nil.
public protocol RepositoryContent: Sendable {
    /// Fixed for the request.
    var context: RequestContext { get }
    /// A file. nil: the repository has none at this path.
    func content(_ want: ContentRequest) async throws -> Content?
    /// Where a movable name points.
    func resolve(_ name: PointerName) async throws -> Pointer?
    /// A keyset page of components, pointers, edges, packages or a folder.
    func list(_ query: ContentQuery) async throws -> ContentPage
    /// Streams, hashes and keeps: the bytes are durable and safe from the collector until `StagedBlob.heldUntil`.
    /// - Throws: `.digestMismatch`, `.tooLarge`, `.quotaExceeded`, `.noSpace`, `.readOnly`; `.cancelled` where the body broke off.
    func stage(_ body: ByteStream, _ demand: StageDemand) async throws -> StagedBlob
    /// Bytes that come in several requests. Sessions of one scope are no use in another.
    func uploads(in scope: String) -> any UploadSessions
    /// All or none; returns when it is durable.
    /// - Throws: `Edit.Refused` where a requirement, a link or the write policy says no.
    func commit(_ edit: Edit) async throws
}

public struct RequestContext: Sendable {
    public var repository: RepositoryName
    /// Who asks; empty: nobody in particular.
    public var principal: String
    public var requestID: String
    public var compute: any BlockingPool
    /// Where a GET of another path of this request's host would lead, by its address alone: the repository, and the path within it. The path
    /// is whole and decoded, from the root of the host on. nil: to no repository.
    public var destination: @Sendable (_ path: [String]) -> (repository: RepositoryName, path: [String])?
    public init(
        repository: RepositoryName, principal: String, requestID: String, compute: any BlockingPool,
        destination: @escaping @Sendable (_ path: [String]) -> (repository: RepositoryName, path: [String])? = { _ in nil }
    ) {
        self.destination = destination
        self.repository = repository
        self.principal = principal
        self.requestID = requestID
        self.compute = compute
    }
}

public struct ContentRequest: Hashable, Sendable {
    public var path: AssetPath
    public var change: Mutability
    /// Where the asset is in no component and was linked longer ago than this, it counts as linked now, before it is answered: for a client
    /// that asks whether bytes are there, in order not to send them. Best effort; nil: as it is.
    public var renewingAfter: Duration?
    public init(_ path: AssetPath, _ change: Mutability, renewingAfter: Duration? = nil) {
        self.path = path
        self.change = change
        self.renewingAfter = renewingAfter
    }
}

public struct Pointer: Hashable, Sendable {
    public var target: String
    public var member: RepositoryName
    public init(target: String, member: RepositoryName) {
        self.target = target
        self.member = member
    }
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
