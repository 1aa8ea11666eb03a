import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore

/// What is asked of an upstream registry. Its API is at `/v2`, and a path in the remote's URL comes before image names, so that one Entrepot
/// can be another's upstream.
extension ImageName {
    /// The name that this image has where it is kept.
    func full(in content: any RepositoryContent) -> ImageName {
        let name = content.fullName(self.text)
        guard name != self.text, let full = try? ImageName(name) else { return self }  // a prefix that makes it none: the upstream says so
        return full
    }

    func upstream(_ rest: String, accept: [String] = []) -> UpstreamResource {
        UpstreamResource(.named(root: "v2", name: self.text, rest: rest), accept: accept)
    }

    /// A blob, by its digest.
    func request(blob digest: ContentDigest, renewingAfter: Duration? = nil) -> ContentRequest {
        var request = ContentRequest(
            self.blob(digest), .immutable, upstream: self.upstream("blobs/\(digest)"), expecting: [digest], contentType: OCIFormat.blobType,
            renewingAfter: renewingAfter)
        request.mention = ContentRequest.Mention(of: digest, in: self.package, kinds: ["layer", "config"])
        request.naming = self.naming { $0.request(blob: digest, renewingAfter: renewingAfter) }
        return request
    }

    /// A manifest, by its digest; what arrives becomes a component, as if it had been pushed.
    func request(manifest digest: ContentDigest, on compute: any BlockingPool) -> ContentRequest {
        var request = ContentRequest(
            self.manifest(digest), .immutable, upstream: self.upstream("manifests/\(digest)", accept: OCIFormat.manifestTypes), expecting: [digest],
            largest: Int64(Manifest.largest)
        ) { arrival in
            let bytes = try await arrival.blob.source.readAll(arrival.blob.size, on: compute)
            let manifest = try await compute.run { try Self.parsed(bytes, declared: arrival.contentType) }
            let push = ManifestPush(image: self, digest: digest, tags: [], manifest: manifest, blob: arrival.blob, attributes: arrival.attributes)
            return Edit([.put(push.component)])
        }
        request.removal = Edit([.remove(self.coordinates(digest))])
        request.mention = ContentRequest.Mention(of: digest, in: self.package, kinds: ["child"])
        request.naming = self.naming { $0.request(manifest: digest, on: compute) }
        return request
    }

    /// A manifest that is kept.
    func request(keptManifest digest: ContentDigest) -> ContentRequest {
        var request = ContentRequest(self.manifest(digest), .immutable)
        request.naming = self.naming { $0.request(keptManifest: digest) }
        return request
    }

    /// The same of this image where it has another name.
    private func naming<Request: Sendable>(_ request: @escaping @Sendable (ImageName) -> Request) -> Naming<Request> {
        Naming(self.text) { name in (try? ImageName(name)).map(request) }  // a prefix that makes it none: it is asked for as it is
    }

    /// Some upstreams say `application/json` of everything; the digest is right, and the manifest knows what it is.
    static func parsed(_ bytes: ByteBuffer, declared: String) throws(FormatError) -> Manifest {
        let essence = declared.split(separator: ";").first.map(String.init) ?? ""
        return try Manifest(bytes, declared: OCIFormat.manifestTypes.contains(essence) ? declared : nil)
    }

    /// A tag: asked for by HEAD, which Docker Hub does not count.
    func request(tag: Tag, on compute: any BlockingPool) -> PointerRequest {
        var request = PointerRequest(
            self.pointer(tag), upstream: self.upstream("manifests/\(tag)", accept: OCIFormat.manifestTypes), largest: Manifest.largest,
            target: { headers in
                guard let text = headers[.contentDigest], (try? ContentDigest(image: text)) != nil else { return nil }  // no digest: the bytes are hashed
                return text
            },
            // What is no digest is refused by whoever asked for the tag.
            content: { target in (try? ContentDigest(image: target)).map { self.request(manifest: $0, on: compute) } })
        request.naming = self.naming { $0.request(tag: tag, on: compute) }
        return request
    }
}

extension OCIFormat {
    static let manifestTypes = Manifest.Kind.allCases.map(\.rawValue)

    public static func officialPrefix(ofRemote host: String) -> String? {
        ["registry-1.docker.io", "docker.io", "index.docker.io", "registry.docker.io"].contains(host) ? "library" : nil
    }
}

/// The query of an upstream's `Link: <…>; rel="next"`.
struct NextPage: Hashable {
    var last: String?

    /// nil: there is no next page, or none that can be asked for.
    init?(_ headers: HTTPFields) {
        guard let link = headers[.link], link.contains("next"), let open = link.firstIndex(of: "<"), let close = link.firstIndex(of: ">"), open < close,
            let question = link[open..<close].firstIndex(of: "?")
        else { return nil }
        let pairs = link[link.index(after: question)..<close].split(separator: "&").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
        guard let value = pairs.first(where: { $0.first == "last" && $0.count == 2 })?[1], let last = Links.decoded(value) else { return nil }
        self.last = last
    }
}

extension Links {
    /// nil: not percent-encoded UTF-8.
    static func decoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(), let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
