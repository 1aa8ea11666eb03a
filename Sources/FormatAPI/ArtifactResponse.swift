public import ArtifactModel
public import HTTPTypes
public import NIOCore

/// What a format answers. For `.content` the server adds length, ETag, ranges, HEAD, 304 and `X-Cache`, and sends the bytes without
/// copying where it can; a format sets what is its own (`Docker-Content-Digest`).
public struct ArtifactResponse: Sendable {
    public enum Body: Sendable {
        case none
        /// A document: may be encoded on the way.
        case bytes(ByteBuffer)
        /// A stored asset: never encoded.
        case content(Content)
        /// What comes of a running work, as it comes: never encoded, cut or kept.
        case stream(any ContentSource)
    }
    public var status: HTTPResponse.Status
    public var headers: HTTPFields
    public var body: Body
    /// Where there is no content that says it; the engine's to set.
    public var cache: CacheReport?
    /// Of what was written, for the audit trail. Of content the server knows it.
    public var written: ContentDigest?
    /// The format's word that the answer follows from the request's address, `Accept` and `Accept-Encoding`, and from what the repository's content
    /// said: the server may give it again to the same request, as long as that content would say the same.
    public var isRepeatable = false

    public init(_ status: HTTPResponse.Status, headers: HTTPFields = [:], body: Body = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

extension HTTPField.Name {
    /// Members of a group without which the answer had to be made.
    public static let skippedMembers = Self.known("X-Entrepot-Skipped")
}

extension ArtifactResponse {
    /// See `isRepeatable`.
    public var repeatable: ArtifactResponse {
        var response = self
        response.isRepeatable = true
        return response
    }

    /// Says which members of a group a list is without: it may be read, and must not be kept.
    public mutating func mark(skipped members: [RepositoryName]) {
        guard !members.isEmpty else { return }
        self.headers[.skippedMembers] = members.map(\.text).joined(separator: ", ")
        self.headers[.cacheControl] = "no-store"
    }
}

/// A file that a repository holds: what is known of it, and where its bytes are.
public struct Content: Sendable {
    public var head: ContentHead
    /// The hosted or proxy repository that had it.
    public var member: RepositoryName
    /// nil where no cache was involved.
    public var cache: CacheReport?
    /// Members of a group before this one that were in trouble, where the group goes on without them.
    public var skippedMembers: [RepositoryName] = []
    public let source: any ContentSource
    /// Documents: the same, compressed. Its entity tag is `Content.compressedTag` of this one's.
    public var gzip: Gzip?

    /// How the compressed form is had: nil where it is not there yet.
    public typealias Gzip = @Sendable () async throws -> (any ContentSource)?

    /// Of the compressed form: another one, so that a cache on the way does not take one for the other.
    public static func compressedTag(of tag: String) -> String { tag.hasSuffix("\"") ? tag.dropLast() + "-gzip\"" : tag }

    public init(head: ContentHead, member: RepositoryName, cache: CacheReport? = nil, source: any ContentSource) {
        self.head = head
        self.member = member
        self.cache = cache
        self.source = source
    }
}

public struct ContentHead: Sendable {
    /// SHA-256 first, then others that are known.
    public var digests: [ContentDigest]
    /// In bytes. nil: known when it ends.
    public var size: Int64?
    public var contentType: String
    /// With its quotes, as it stands in `ETag`.
    public var entityTag: String
    public var lastModified: Timestamp?
    public var attributes: [String: String]
    /// Immutable content may be kept by clients for good.
    public var change: Mutability

    public init(
        digests: [ContentDigest], size: Int64?, contentType: String, entityTag: String, lastModified: Timestamp? = nil,
        attributes: [String: String] = [:], change: Mutability
    ) {
        self.digests = digests
        self.size = size
        self.contentType = contentType
        self.entityTag = entityTag
        self.lastModified = lastModified
        self.attributes = attributes
        self.change = change
    }
}

public enum Mutability: Hashable, Sendable { case immutable, mutable }

public struct CacheReport: Sendable {
    public enum Outcome: String, Sendable {
        case hit = "HIT"
        case miss = "MISS"
        case stale = "STALE"
        case revalidated = "REVALIDATED"
        case negative = "NEGATIVE"
    }
    public var outcome: Outcome
    public var age: Duration
    public init(_ outcome: Outcome, age: Duration) {
        self.outcome = outcome
        self.age = age
    }
}
