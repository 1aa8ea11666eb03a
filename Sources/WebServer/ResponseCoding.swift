import ArtifactModel
import Compression
import FormatAPI
import HTTPTypes
import NIOCore

/// Chooses the form in which a body goes out.
struct ResponseCoding {
    let method: HTTPRequest.Method
    let request: HTTPFields
    let pool: any BlockingPool

    /// The compressed form, where it is there and is to be sent; nil: the bytes go as they are. What is answered by 304 is not compressed for that.
    func gzip(of response: ArtifactResponse) async throws -> (any ContentSource)? {
        guard self.method == .get || self.method == .head, response.isCompressible else { return nil }
        // Ranges are of the bytes as they are, so that parts of them fit together.
        guard self.request[.range] == nil, AcceptedCodings(self.request[.acceptEncoding]).takesGzip else { return nil }
        let tags = response.entityTags.map { EntityTag($0) }
        guard Conditions(self.request).verdict(entityTags: tags, lastModified: response.lastModified, safe: true) == .proceed else { return nil }
        switch response.body {
        case .content(let content): return try await content.gzip?()
        case .bytes(let bytes):
            return MemoryContent(try await self.pool.run { bytes.gzipped(level: bytes.readableBytes < 1 << 20 ? 5 : 4) })
        case .none, .stream: return nil
        }
    }
}

extension ArtifactResponse {
    /// In bytes: what is smaller gains nothing by it.
    private static let leastCompressed = 1 << 10

    /// Whether a client that takes gzip may get another form of it.
    var isCompressible: Bool {
        guard self.status == .ok, self.headers[.contentEncoding] == nil else { return false }
        switch self.body {
        case .content(let content): return content.gzip != nil
        case .bytes(let bytes): return bytes.readableBytes >= Self.leastCompressed && self.isText && !self.isPrivate
        case .none, .stream: return false
        }
    }

    /// Of all its forms, the one of the bytes as they are first.
    var entityTags: [String] {
        let tag = if case .content(let content) = self.body { content.head.entityTag } else { self.headers[.eTag] ?? "" }
        guard !tag.isEmpty else { return [] }
        return self.isCompressible ? [tag, Content.compressedTag(of: tag)] : [tag]
    }

    var lastModified: Timestamp? { if case .content(let content) = self.body { content.head.lastModified } else { nil } }

    private var isText: Bool {
        let type = (self.headers[.contentType] ?? "").prefix { $0 != ";" }.trimmedSpace.lowercased()
        let others = ["application/json", "application/xml", "application/yaml", "application/x-yaml"]
        return type.hasPrefix("text/") || type.hasSuffix("+json") || type.hasSuffix("+xml") || others.contains(type)
    }

    /// What must not be kept may have secrets in it, beside words of whoever asks: its length, compressed, would tell of them.
    private var isPrivate: Bool { self.headers[.setCookie] != nil || self.headers[.cacheControl]?.contains("no-store") == true }
}

extension HTTPFields {
    /// Says that the answer depends on this field of the request too.
    mutating func vary(on name: HTTPField.Name) {
        let named = (self[.vary] ?? "").split(separator: ",").map { $0.trimmedSpace.lowercased() }
        guard !named.contains("*"), !named.contains(name.canonicalName) else { return }
        self[.vary] = named.isEmpty ? name.rawName : "\(self[.vary] ?? ""), \(name.rawName)"
    }
}
