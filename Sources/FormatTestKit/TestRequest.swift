public import AccessControl
public import ArtifactModel
public import FormatAPI
public import HTTPTypes
public import NIOCore
public import RepositoryEngine

/// A request for `TestSite`.
public struct TestRequest: Sendable {
    public var method: HTTPRequest.Method
    /// Path and query, percent-encoded.
    public var target: String
    public var headers: HTTPFields
    public var body: [ByteBuffer]
    /// Thrown after the body's chunks, as a client does that hangs up.
    public var cut: Bool
    /// Whether the body's length is declared.
    public var declaresLength: Bool
    /// Whose own root it comes to, by `listen:` or `host:`.
    public var ownRoot: RepositoryName?
    /// Whether it asks why.
    public var explain = IncomingRequest.Explain.not
    public var credentials = Credentials.none
    public var admission: any RequestAdmission = UnlimitedAdmission()

    public init(
        _ method: HTTPRequest.Method, _ target: String, headers: HTTPFields = [:], body: [ByteBuffer] = [], cut: Bool = false, declaresLength: Bool = true,
        ownRoot: RepositoryName? = nil
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.cut = cut
        self.declaresLength = declaresLength
        self.ownRoot = ownRoot
    }

    /// The same, asking why: from the server's own machine, or not.
    public func asking(local: Bool) -> TestRequest {
        var request = self
        request.explain = .asked(local: local)
        return request
    }

    func stream() -> ByteStream {
        .chunks(self.body, cut: self.cut, declaresLength: self.declaresLength)
    }
}

extension ByteStream {
    /// A body of these chunks; with `cut`, it breaks off after them as a client does that hangs up.
    public static func chunks(_ chunks: [ByteBuffer], cut: Bool = false, declaresLength: Bool = true) -> ByteStream {
        let rest = Chunks(chunks)
        let length = Int64(chunks.reduce(0) { $0 + $1.readableBytes })
        return ByteStream(length: declaresLength ? (cut ? length + 1 : length) : nil) {
            if let chunk = rest.next() { return chunk }
            if cut { throw FormatError(.cancelled, "the client hung up") }
            return nil
        }
    }
}

/// What came back, read whole.
public struct TestResponse: Sendable {
    public let status: HTTPResponse.Status
    public let headers: HTTPFields
    public let body: ByteBuffer
    /// What the server would add as Content-Type and ETag.
    public let head: ContentHead?
    /// What a cache had to say of it.
    public let cache: CacheReport?
    /// Members of a group that the answer is without.
    public let skipped: [String]
    public let operation: String
    public let audit: AuditNote
    public let cause: (any Error)?
    /// How long the same request would be answered alike; nil: not known.
    public let standing: Standing?

    public var text: String { String(buffer: self.body) }

    init(_ outcome: RequestOutcome, on pool: any BlockingPool) async throws {
        self.status = outcome.response.status
        self.headers = outcome.response.headers
        self.operation = outcome.operation
        self.audit = outcome.audit
        self.cause = outcome.cause
        self.standing = outcome.standing
        if case .content(let content) = outcome.response.body {
            (self.skipped, self.cache) = (content.skippedMembers.map(\.text), content.cache)
        } else {
            (self.skipped, self.cache) = ([], outcome.response.cache)
        }
        switch outcome.response.body {
        case .none: (self.body, self.head) = (ByteBuffer(), nil)
        case .bytes(let bytes): (self.body, self.head) = (bytes, nil)
        case .content(let content): (self.body, self.head) = (try await content.source.readAll(.max, on: pool), content.head)
        case .stream(let source): (self.body, self.head) = (try await source.readAll(.max, on: pool), nil)
        }
    }
}

extension ContentSource {
    /// All bytes of a source.
    public func whole() async throws -> ByteBuffer {
        var whole = ByteBuffer()
        while let piece = try await self.next(at: Int64(whole.readableBytes), limit: 1 << 20) {
            switch piece {
            case .bytes(var bytes): whole.writeBuffer(&bytes)
            case .file(let file, let range):
                var bytes = try file.read(range)
                whole.writeBuffer(&bytes)
            }
        }
        return whole
    }
}
