import ArtifactModel
import FormatAPI
import HTTPTypes

/// What an address below a repository's names.
enum HelmAddress: Hashable, Sendable {
    case index
    /// The list of files.
    case root
    case file(ChartFile)
    /// `/api/charts`: all of them, and where one is uploaded.
    case charts
    /// `/api/prov`: where a provenance is uploaded.
    case provenances
    case chart(ChartName)
    case version(ChartID)
    case part(ChartID, Part)
    /// A chart as an OCI artifact: its manifest by a tag or a digest, one of its blobs, its tags.
    case manifest(ChartName, reference: String)
    case blob(ChartName, ContentDigest)
    case tags(ChartName)

    /// What is shown of a chart without its archive.
    enum Part: String, Hashable, Sendable, CaseIterable {
        case readme, values, schema, templates

        /// Below the chart's folder.
        var file: String? {
            switch self {
            case .readme: "README.md"
            case .values: "values.yaml"
            case .schema: "values.schema.json"
            case .templates: nil
            }
        }
    }

    /// - Throws: `.notFound` for what is no address, `.invalidRequest` for names and versions that are none.
    init(_ path: [String]) throws(FormatError) {
        if let address = try Self.artifact(path.first == "v2" ? Array(path.dropFirst()) : path) {
            self = address
            return
        }
        switch path {
        case [], [""]: self = .root
        case [ChartIndex.file]: self = .index
        case ["api", "charts"], ["api", "charts", ""]: self = .charts
        case ["api", "prov"], ["api", "prov", ""]: self = .provenances
        case _ where path.starts(with: ["api", "charts"]): self = try Self.api(Array(path.dropFirst(2)))
        case _ where path.count == 1 || path.count == 2 && path[0] == "charts":
            guard let file = ChartFile(path[path.count - 1]) else { throw Self.unknown(path) }
            self = .file(file)
        default: throw Self.unknown(path)
        }
    }

    /// As the OCI distribution specification has it, below `/v2/<repository>/` or `/repository/<repository>/v2/`.
    private static func artifact(_ path: [String]) throws(FormatError) -> HelmAddress? {
        guard path.count == 3, let name = ChartName(reading: path[0]) else { return nil }
        switch path[1] {
        case "manifests": return .manifest(name, reference: path[2])
        case "tags" where path[2] == "list": return .tags(name)
        case "blobs":
            do { return .blob(name, try ContentDigest(path[2])) } catch { throw FormatError(.invalidRequest, "«\(path[2].prefix(200))» is no digest") }
        default: return nil
        }
    }

    var isArtifact: Bool {
        switch self {
        case .manifest, .blob, .tags: true
        default: false
        }
    }

    private static func api(_ path: [String]) throws(FormatError) -> HelmAddress {
        let name = try ChartName(path[0])
        guard path.count > 1 else { return .chart(name) }
        let id = ChartID(name: name, version: try ChartVersion(path[1]))
        // Its file's name means another chart, which has its own address and its own readers.
        guard id.isPlain else { throw FormatError(.notFound, "there is no chart «\(id)» here: «\(id.file)» is the name of another's file") }
        guard path.count > 2 else { return .version(id) }
        guard path.count == 3, let part = Part(rawValue: path[2]) else { throw Self.unknown(["api", "charts"] + path) }
        return .part(id, part)
    }

    private static func unknown(_ path: [String]) -> FormatError {
        FormatError(
            .notFound, "«/\(path.joined(separator: "/").prefix(200))» is neither index.yaml nor a chart's file (name-1.2.3.tgz), nor part of /api/charts")
    }

    var methods: [HTTPRequest.Method] {
        switch self {
        case .index, .root, .chart, .part, .manifest, .blob, .tags: [.get, .head]
        case .file: [.get, .head, .put, .delete]
        case .charts: [.get, .head, .post]
        case .provenances: [.post]
        case .version: [.get, .head, .delete]
        }
    }
}
