import ArtifactModel
import FormatAPI
import FoundationEssentials
import NIOCore

/// A chart in somebody's registry, as an index names it: `oci://host/path/chart:1.0.0`, `…@sha256:…`, or without either, by the entry's version.
struct OCIAddress: Hashable, Sendable {
    let host: String
    /// The repository there.
    let name: String
    let reference: String

    /// Of a manifest, in bytes.
    private static let longest = 4 << 20

    /// nil: it is none.
    init?(_ url: String, _ version: ChartVersion) {
        guard url.hasPrefix("oci://") else { return nil }
        let rest = url.dropFirst(6)
        guard let slash = rest.firstIndex(of: "/") else { return nil }
        self.host = String(rest[..<slash])
        var path = rest[rest.index(after: slash)...]
        if let at = path.firstIndex(of: "@") {
            self.reference = String(path[path.index(after: at)...])
            path = path[..<at]
        } else if let colon = path.lastIndex(of: ":") {
            self.reference = String(path[path.index(after: colon)...])
            path = path[..<colon]
        } else {
            self.reference = version.text.replacing("+", with: "_")
        }
        self.name = String(path)
        guard !self.host.isEmpty, !self.name.isEmpty, !self.reference.isEmpty, self.isPlain, !self.name.split(separator: "/").contains("..") else {
            return nil
        }
    }

    private var isPlain: Bool {
        (self.host + self.name + self.reference).utf8.allSatisfy { byte in
            byte.isASCIILetterOrDigit || [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: ":")].contains(byte)
        }
    }

    private struct Manifest: Decodable {
        struct Layer: Decodable {
            var mediaType: String?
            var digest: String?
        }
        var layers: [Layer]?
    }

    /// The digest of the layer of a kind; nil: the registry has no such chart, or it has no such layer.
    /// - Parameters:
    ///   - member: whose index names the address: nobody else's way out is taken, and its trouble is not absence.
    ///   - chart: what `owns` is matched with.
    func layer(_ type: String, of chart: ChartName, from member: RepositoryName?, _ content: any RepositoryContent) async throws -> ContentDigest? {
        var resource = UpstreamResource(self.location("manifests/\(self.reference)"), accept: [ChartArtifact.manifestType])
        resource.tokenSpace = self.name
        let call = UpstreamCall(resource, limit: Self.longest)
        let gathered = try await content.gather(chart.text) { $0.context.repository == member ? try await $0.forward(call) : nil }
        guard let reply = gathered.parts.compactMap({ $0 }).first else {
            if let trouble = gathered.trouble { throw trouble }
            return nil
        }
        let text = try await content.context.compute.run {
            do {
                let manifest = try JSONDecoder().decode(Manifest.self, from: Data(reply.body.readableBytesView))
                return manifest.layers?.first { $0.mediaType == type }?.digest
            } catch {
                throw FormatError(.upstreamFailed, "«\(self.host)» sent no manifest of a chart", cause: error)
            }
        }
        do { return try text.map { try ContentDigest($0) } } catch { throw FormatError(.upstreamFailed, "«\(self.host)» names no digest", cause: error) }
    }

    func blob(_ digest: ContentDigest) -> UpstreamResource {
        var resource = UpstreamResource(self.location("blobs/\(digest)"), mayBePage: false)
        resource.tokenSpace = self.name
        return resource
    }

    private func location(_ rest: String) -> UpstreamResource.Location { .elsewhere(host: self.host, path: "/v2/\(self.name)/\(rest)") }
}
