import ArtifactModel
import FormatAPI
import FoundationEssentials
import NIOCore

/// A chart of a hosted repository as an OCI artifact: <https://helm.sh/docs/topics/registries/>. Nothing is copied: its layers are the chart's own files, and manifest
/// and configuration follow from what was kept when it was published, so that they are the same bytes for ever.
struct ChartArtifact: Sendable {
    /// What a component's attributes say.
    struct Attributes: Codable, Sendable {
        /// `Chart.yaml` as JSON: the artifact's configuration, byte for byte.
        var config: String?
        /// `sha256:…`, and its size in bytes; nil: there is none.
        var provenance: String?
        var provenanceSize: Int64?
        var appVersion: String?
        var description: String?
        var type: String?
        var icon: String?
    }

    static let manifestType = "application/vnd.oci.image.manifest.v1+json"
    static let configType = "application/vnd.cncf.helm.config.v1+json"
    static let archiveType = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
    static let provenanceType = "application/vnd.cncf.helm.chart.provenance.v1.prov"

    let id: ChartID
    let config: ByteBuffer
    let configDigest: ContentDigest
    let archive: (digest: ContentDigest, size: Int64)
    let provenance: (digest: ContentDigest, size: Int64)?

    /// nil: the row is of a version without its archive, or one that says too little.
    init?(_ name: ChartName, _ row: ContentRow, _ context: RequestContext) {
        guard let version = ChartVersion(reading: row.name), let digest = row.digest,
            let attributes = Self.attributes(row.attributes), let config = attributes.config, let configDigest = context.digest(ByteBuffer(string: config))
        else { return nil }
        self.id = ChartID(name: name, version: version)
        self.config = ByteBuffer(string: config)
        self.configDigest = configDigest
        self.archive = (digest, row.size)
        self.provenance = attributes.provenance.flatMap { Self.digest($0) }.map { ($0, attributes.provenanceSize ?? 0) }
    }

    private static func attributes(_ text: String) -> Attributes? {
        do { return try JSONDecoder().decode(Attributes.self, from: Data(text.utf8)) } catch { return nil }
    }

    private static func digest(_ text: String) -> ContentDigest? {
        do { return try ContentDigest(text) } catch { return nil }
    }

    /// A tag has no plus: Helm writes `_` for it, and reads it back.
    var tag: String { self.id.version.text.replacing("+", with: "_") }

    /// As it is now; and as it was before there was a provenance, by whose digest somebody may ask.
    var manifests: [ByteBuffer] { [self.manifest(self.provenance)] + (self.provenance == nil ? [] : [self.manifest(nil)]) }

    private func manifest(_ provenance: (digest: ContentDigest, size: Int64)?) -> ByteBuffer {
        var json = JSONText()
        json.raw("{\"schemaVersion\":2")
        json.member("mediaType", Self.manifestType)
        json.key("config")
        Self.write(Self.configType, self.configDigest, Int64(self.config.readableBytes), to: &json)
        json.key("layers")
        json.raw("[")
        Self.write(Self.archiveType, self.archive.digest, self.archive.size, to: &json)
        if let provenance {
            json.raw(",")
            Self.write(Self.provenanceType, provenance.digest, provenance.size, to: &json)
        }
        json.raw("]}")
        return ByteBuffer(bytes: json.bytes)
    }

    private static func write(_ type: String, _ digest: ContentDigest, _ size: Int64, to json: inout JSONText) {
        json.raw("{")
        json.member("mediaType", type)
        json.member("digest", "\(digest)")
        json.key("size")
        json.plain(String(size))
        json.raw("}")
    }
}

extension ChartArtifact.Attributes {
    mutating func note(_ provenance: StagedBlob?) {
        self.provenance = provenance?.digests.first(.sha256).map { "\($0)" }
        self.provenanceSize = provenance?.size
    }
}
