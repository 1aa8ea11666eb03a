import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import NIOHTTP1

/// What will be sent: status, headers but for those of the connection, and where the body's bytes come from.
struct ResponsePlan: Sendable {
    enum Body: Sendable {
        case none
        case bytes(ByteBuffer)
        case content(any ContentSource, [Segment])
    }

    enum Segment: Sendable {
        case text(ByteBuffer)
        case range(Range<Int64>)
        /// All there is, of a length that nobody knows yet.
        case all
    }

    var status: HTTPResponse.Status
    var headers: HTTPFields
    var body: Body
    /// In bytes; nil: known when it ends. What GET would send, where the request is a HEAD.
    var length: Int64?

    /// The format's body for a refusal.
    private let refuse: (@Sendable (FormatError) -> ArtifactResponse)?

    /// - Parameters:
    ///   - gzip: the form that `ResponseCoding` chose; nil: the bytes go as they are.
    ///   - refuse: renders what is refused here; nil: plain text.
    ///   - random: for the boundary of several ranges.
    init(
        _ response: ArtifactResponse, method: HTTPRequest.Method, request: HTTPFields, gzip: (any ContentSource)? = nil,
        refuse: (@Sendable (FormatError) -> ArtifactResponse)? = nil,
        random: @autoclosure () -> UInt64 = .random(in: 0 ... .max)
    ) {
        self.refuse = refuse
        self.status = response.status
        self.headers = response.headers
        switch response.body {
        case .none:
            self.body = .none
            self.length = 0
            // What a HEAD says of a body that GET would have is the format's own.
            if method != .head { self.headers[.contentLength] = nil }
        case .bytes(let bytes):
            self.body = .bytes(bytes)
            self.length = Int64(bytes.readableBytes)
            self.headers[.contentLength] = nil
            self.checkDocument(response, method, request, gzip)
        case .content(let content):
            self.body = .none
            self.length = content.head.size ?? content.source.length
            self.headers[.contentLength] = nil
            self.take(content, response, method, request, gzip, random)
        case .stream(let source):
            self.body = .content(source, [.all])
            self.headers[.contentLength] = nil
        }
        if response.isCompressible { self.headers.vary(on: .acceptEncoding) }
        if let cache = response.cache { self.tell(cache) }
        if self.status.hasNoBody {
            self.body = .none
            self.length = nil
            self.headers[.contentLength] = nil
        } else if method == .head {
            self.body = .none
        }
    }

    /// A plain answer of the server's own.
    init(_ status: HTTPResponse.Status, text: String, headers: HTTPFields = [:]) {
        self.refuse = nil
        self.status = status
        self.headers = headers
        self.headers[.contentType] = "text/plain; charset=utf-8"
        let bytes = ByteBuffer(string: text + "\n")
        self.body = .bytes(bytes)
        self.length = Int64(bytes.readableBytes)
    }

    /// Instead of this one, not a byte of which could be sent: the format's own words.
    func excuse(_ error: FormatError, _ head: HTTPRequestHead) -> ResponsePlan {
        guard let refuse else { return ResponsePlan(error.code.gatewayStatus, text: error.message) }
        var plan = ResponsePlan(refuse(error), method: head.method == .HEAD ? .head : .get, request: [:])
        if let delay = error.retryAfter { plan.headers[.retryAfter] = String(max(1, delay.components.seconds)) }
        return plan
    }

    /// A document, whose format may have given it a validator.
    private mutating func checkDocument(
        _ response: ArtifactResponse, _ method: HTTPRequest.Method, _ request: HTTPFields, _ gzip: (any ContentSource)?
    ) {
        guard self.status == .ok, method == .get || method == .head else { return }
        if self.headers[.eTag] != nil, self.check(response, Conditions(request)) != .proceed { return }
        if let gzip { self.encode(gzip) }
    }

    private mutating func take(
        _ content: Content, _ response: ArtifactResponse, _ method: HTTPRequest.Method, _ request: HTTPFields, _ gzip: (any ContentSource)?,
        _ random: () -> UInt64
    ) {
        self.describe(content)
        self.body = .content(content.source, [self.length.map { .range(0..<$0) } ?? .all])
        guard self.status == .ok, method == .get || method == .head else { return }
        let conditions = Conditions(request)
        guard self.check(response, conditions) == .proceed else { return }
        if let gzip { return self.encode(gzip) }
        let tag = EntityTag(content.head.entityTag)
        guard method == .get, let size = self.length, conditions.rangeHolds(entityTag: tag, lastModified: content.head.lastModified) else { return }
        self.cut(ByteRanges(request[.range], size: size), of: content.source, size: size, random)
    }

    /// Whether the client's conditions let it go out, in whichever form.
    private mutating func check(_ response: ArtifactResponse, _ conditions: Conditions) -> Conditions.Verdict {
        let tags = response.entityTags
        let verdict = conditions.verdict(entityTags: tags.map { EntityTag($0) }, lastModified: response.lastModified, safe: true)
        // What the client has is confirmed by its own name.
        if verdict == .notModified, let known = conditions.known(of: tags) { self.headers[.eTag] = known }
        self.apply(verdict)
        return verdict
    }

    private mutating func encode(_ gzip: any ContentSource) {
        self.length = gzip.length
        self.body = .content(gzip, [self.length.map { .range(0..<$0) } ?? .all])
        self.headers[.contentEncoding] = "gzip"
        self.headers[.acceptRanges] = nil
        if let tag = self.headers[.eTag] { self.headers[.eTag] = Content.compressedTag(of: tag) }
    }

    private mutating func describe(_ content: Content) {
        self.headers.setIfMissing(.contentType, content.head.contentType)
        if !content.head.entityTag.isEmpty { self.headers[.eTag] = content.head.entityTag }
        if let modified = content.head.lastModified { self.headers[.lastModified] = HTTPDate.text(modified) }
        if self.length != nil { self.headers[.acceptRanges] = "bytes" }
        self.headers.setIfMissing(.cacheControl, content.head.change == .immutable ? "public, max-age=31536000, immutable" : "no-cache")
        // What is composed of several is another thing without one of them.
        if !content.skippedMembers.isEmpty, content.head.change == .mutable { self.headers[.cacheControl] = "no-store" }
        if !content.skippedMembers.isEmpty { self.headers[.skippedMembers] = content.skippedMembers.map(\.text).joined(separator: ", ") }
        if let cache = content.cache { self.tell(cache) }
    }

    /// What somebody had to sign in for is not for a cache that others ask, too. RFC 9111, 3.5.
    mutating func keepPrivate() {
        if let policy = self.headers[.cacheControl], policy.hasPrefix("public") { self.headers[.cacheControl] = "private" + policy.dropFirst(6) }
    }

    private mutating func tell(_ cache: CacheReport) {
        self.headers[.xCache] = cache.outcome.rawValue
        self.headers[.age] = String(max(0, cache.age.components.seconds))
    }

    private mutating func apply(_ verdict: Conditions.Verdict) {
        switch verdict {
        case .proceed: return
        case .notModified:
            self.status = .notModified
            self.headers[.contentType] = nil
        case .failed: self.replace(.preconditionFailed, FormatError(.preconditionFailed, "the resource is not what the request's condition says"))
        }
    }

    private mutating func cut(_ ranges: ByteRanges, of source: any ContentSource, size: Int64, _ random: () -> UInt64) {
        switch ranges {
        case .ignored: return
        case .tooMany: self.replace(.badRequest, FormatError(.invalidRequest, "at most \(ByteRanges.most) ranges are served at a time"))
        case .unsatisfiable:
            self.replace(.rangeNotSatisfiable, FormatError(.wrongRange, "the range lies outside of the content, which has \(size) bytes"))
            self.headers[.contentRange] = "bytes */\(size)"
        case .ranges(let ranges):
            self.status = .partialContent
            if ranges.count == 1 {
                self.headers[.contentRange] = ranges[0].contentRange(of: size)
                self.body = .content(source, [.range(ranges[0])])
                self.length = ranges[0].upperBound - ranges[0].lowerBound
            } else {
                self.join(ranges, of: source, size: size, boundary: String(random(), radix: 36))
            }
        }
    }

    /// `multipart/byteranges`. RFC 9110, 14.6.
    private mutating func join(_ ranges: [Range<Int64>], of source: any ContentSource, size: Int64, boundary: String) {
        var segments: [Segment] = []
        var length: Int64 = 0
        let type = self.headers[.contentType].map { "Content-Type: \($0)\r\n" } ?? ""
        for (index, range) in ranges.enumerated() {
            let opening = "\(index == 0 ? "" : "\r\n")--\(boundary)\r\n\(type)Content-Range: \(range.contentRange(of: size))\r\n\r\n"
            segments += [.text(ByteBuffer(string: opening)), .range(range)]
            length += Int64(opening.utf8.count) + range.upperBound - range.lowerBound
        }
        let closing = "\r\n--\(boundary)--\r\n"
        segments.append(.text(ByteBuffer(string: closing)))
        self.length = length + Int64(closing.utf8.count)
        self.headers[.contentType] = "multipart/byteranges; boundary=\(boundary)"
        self.body = .content(source, segments)
    }

    /// A refusal in the place of the content, in the format's words where it has some; validators stay.
    private mutating func replace(_ status: HTTPResponse.Status, _ error: FormatError) {
        self.status = status
        self.headers[.cacheControl] = "no-store"
        var text = ByteBuffer(string: error.message + "\n")
        self.headers[.contentType] = "text/plain; charset=utf-8"
        if let rendered = self.refuse?(error), case .bytes(let bytes) = rendered.body {
            text = bytes
            self.headers[.contentType] = rendered.headers[.contentType]
        }
        self.body = .bytes(text)
        self.length = Int64(text.readableBytes)
    }
}

extension Range<Int64> {
    func contentRange(of size: Int64) -> String { "bytes \(self.lowerBound)-\(self.upperBound - 1)/\(size)" }
}

extension HTTPResponse.Status {
    /// Neither body nor `Content-Length`. RFC 9110, 8.6.
    var hasNoBody: Bool { self.code < 200 || self.code == 204 || self.code == 304 }
}

extension HTTPFields {
    mutating func setIfMissing(_ name: HTTPField.Name, _ value: String) { if self[name] == nil { self[name] = value } }
}
