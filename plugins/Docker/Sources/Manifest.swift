import ArtifactModel
import FormatAPI
import FoundationEssentials
import NIOCore

/// What a registry needs to know of a manifest. The bytes themselves are kept and served as they came.
/// OCI image-spec 1.1, «Image Manifest» and «Image Index»; docker's schema 2.
struct Manifest: Hashable, Sendable {
    enum Kind: String, CaseIterable {
        case image = "application/vnd.oci.image.manifest.v1+json"
        case index = "application/vnd.oci.image.index.v1+json"
        case dockerImage = "application/vnd.docker.distribution.manifest.v2+json"
        case dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"

        var isIndex: Bool { self == .index || self == .dockerList }
    }

    /// A descriptor's target, and what must be here before the manifest may be.
    struct Part: Hashable, Sendable {
        enum Demand: Hashable, Sendable { case nothing, blob, manifest }
        var edge: String
        var digest: ContentDigest
        var demand: Demand
    }

    static let largest = 8 << 20
    /// More would hold the metadata's write lock for long.
    static let mostParts = 10_000
    /// Annotations that a component's attributes keep for lists of referrers, in bytes. Larger ones are read from the manifest as it is
    /// listed, so that a page of rows stays small.
    static let keptAnnotations = 8 << 10

    let mediaType: String
    let parts: [Part]
    let subject: ContentDigest?
    let record: ManifestRecord

    /// Work for the pool: up to 8 MiB of JSON.
    /// - Parameter declared: `Content-Type`, parameters and all; nil where the client sent none.
    /// - Throws: `.invalidRequest` with `MANIFEST_INVALID` or `DIGEST_INVALID`.
    init(_ bytes: ByteBuffer, declared: String?) throws(FormatError) {
        let wire = try Self.decoded(bytes)
        let kind = try Self.kind(of: wire, declared: declared)
        self.mediaType = kind.rawValue
        self.parts = try Self.parts(of: wire, kind)
        self.subject = try wire.subject.map { descriptor throws(FormatError) in try descriptor.target() }
        let own = wire.artifactType.flatMap { $0.isEmpty ? nil : $0 }
        let listed = self.subject == nil ? nil : wire.annotations.flatMap { $0.isEmpty ? nil : $0 }
        let isKept = Self.size(of: listed) <= Self.keptAnnotations
        self.record = ManifestRecord(
            mediaType: kind.rawValue, artifactType: own ?? wire.config?.mediaType, subject: self.subject?.description,
            annotations: isKept ? listed : nil, hasMoreAnnotations: isKept ? nil : true)
    }

    private static func decoded(_ bytes: ByteBuffer) throws(FormatError) -> Wire {
        // The decoder would guess UTF-16, and other clients do not. RFC 8259, 8.1.
        guard String(validating: bytes.readableBytesView, as: UTF8.self) != nil else { throw Self.invalid("the manifest is not a JSON object in UTF-8") }
        do {
            try StrictJSON.check(Array(bytes.readableBytesView))
        } catch {
            throw Self.invalid(error.message)
        }
        do {
            return try JSONDecoder().decode(Wire.self, from: Data(bytes.readableBytesView))
        } catch let error as DecodingError {
            throw Self.invalid("the manifest is not the JSON that it should be\(error.place)")
        } catch {
            throw Self.invalid("the manifest is not JSON")
        }
    }

    private static func kind(of wire: Wire, declared: String?) throws(FormatError) -> Kind {
        let essence = declared?.split(separator: ";", omittingEmptySubsequences: false).first.map { Self.trimmed($0).lowercased() }.flatMap {
            $0.isEmpty ? nil : $0
        }
        guard wire.schemaVersion == 2 else { throw Self.invalid("schemaVersion must be 2; manifests of schema 1 are not taken") }
        if let essence, let inside = wire.mediaType, essence != inside {
            throw Self.invalid("Content-Type is «\(essence.prefix(200))» and the manifest's mediaType «\(inside.prefix(200))»")
        }
        let type = essence ?? wire.mediaType ?? (wire.manifests != nil ? Kind.index.rawValue : Kind.image.rawValue)
        guard let kind = Kind(rawValue: type) else {
            throw Self.invalid("«\(type.prefix(200))» is no manifest type; taken are \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        // Bytes that read as an image and as an index mean different things to different clients (CVE-2021-41190).
        guard kind.isIndex ? wire.layers == nil && wire.config == nil : wire.manifests == nil else {
            throw Self.invalid("the manifest has the fields of an image and of an index")
        }
        guard kind.isIndex || wire.config != nil else { throw Self.invalid("the manifest has no config") }
        return kind
    }

    private static func parts(of wire: Wire, _ kind: Kind) throws(FormatError) -> [Part] {
        var parts: [Part] = []
        if let config = wire.config { parts.append(Part(edge: "config", digest: try config.target(), demand: .blob)) }
        for layer in wire.layers ?? [] {
            parts.append(Part(edge: "layer", digest: try layer.target(), demand: layer.isElsewhere ? .nothing : .blob))
        }
        for child in wire.manifests ?? [] {
            // BuildKit's cache is an index whose entries are layers.
            let isManifest = child.mediaType.map { Kind(rawValue: $0) != nil } ?? true
            parts.append(Part(edge: isManifest ? "child" : "layer", digest: try child.target(), demand: isManifest ? .manifest : .blob))
        }
        guard parts.count <= Self.mostParts else { throw Self.invalid("a manifest may name \(Self.mostParts) others") }
        var seen: Set<Part> = []
        return parts.filter { seen.insert($0).inserted }
    }

    /// Clients keep lists of referrers as indexes under a tag where a registry has no referrers API; such entries bear `artifactType`.
    /// Work for the pool. Of bytes that were taken as a manifest.
    static func referrers(in bytes: ByteBuffer) throws(FormatError) -> [Referrer] {
        try Self.decoded(bytes).manifests.map { entries in
            entries.filter { $0.artifactType?.isEmpty == false }.map {
                Referrer(
                    mediaType: $0.mediaType ?? Kind.image.rawValue, digest: $0.digest, size: $0.size, artifactType: $0.artifactType,
                    annotations: $0.annotations)
            }
        } ?? []
    }

    /// Work for the pool. Of bytes that were taken as a manifest.
    static func annotations(in bytes: ByteBuffer) throws(FormatError) -> [String: String]? { try Self.decoded(bytes).annotations }

    /// In bytes, of keys and values.
    static func size(of annotations: [String: String]?) -> Int { (annotations ?? [:]).reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count } }

    private static func trimmed(_ text: Substring) -> String {
        let tail = text.drop { $0 == " " || $0 == "\t" }
        return String(tail.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }

    private static func invalid(_ message: String) -> FormatError { FormatError(.invalidRequest, message, detail: "MANIFEST_INVALID") }
}

/// A manifest's JSON, of every kind.
private struct Wire: Decodable {
    var schemaVersion: Int?
    var mediaType: String?
    var artifactType: String?
    var config: Descriptor?
    var layers: [Descriptor]?
    var manifests: [Descriptor]?
    var subject: Descriptor?
    var annotations: [String: String]?
}

private struct Descriptor: Decodable {
    var mediaType: String?
    var digest: String
    var size: Int64
    var urls: [String]?
    var artifactType: String?
    var annotations: [String: String]?

    /// Layers that may not be distributed are fetched from where they are, and never pushed.
    var isElsewhere: Bool {
        let type = self.mediaType ?? ""
        return self.urls?.isEmpty == false || type.contains(".nondistributable.") || type == "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    }

    func target() throws(FormatError) -> ContentDigest {
        guard self.size >= 0 else { throw FormatError(.invalidRequest, "a descriptor's size is below 0", detail: "MANIFEST_INVALID") }
        do {
            return try ContentDigest(image: self.digest)
        } catch {
            throw FormatError(.invalidRequest, "a descriptor's digest: \(error)", detail: "MANIFEST_INVALID")
        }
    }
}

extension DecodingError {
    /// Where in the document, as ` (at layers.0.digest)`.
    fileprivate var place: String {
        let path: [any CodingKey] =
            switch self {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context): context.codingPath
            case .keyNotFound(let key, let context): context.codingPath + [key]
            @unknown default: []
            }
        guard !path.isEmpty else { return "" }
        return " (at \(path.map { key in key.intValue.map { "\($0)" } ?? key.stringValue }.joined(separator: ".").prefix(200)))"
    }
}
