import ArtifactModel
import FormatAPI
import NIOCore
import Synchronization
import YAMLEvents

/// Charts that a registry holds (`helm push oci://`), as a chart repository shows them: read once for each change of the registry, each of them once at all.
final class ChartLibrary: Sendable {
    /// One chart in one version.
    struct Chart: Sendable {
        var id: ChartID
        var artifact: LibraryArtifact
        var entry: [UInt8]
        var archive: ContentDigest
        var provenance: ContentDigest?
    }

    private struct Shelf: Sendable {
        var changes: UInt64
        var charts: [Chart]
        /// nil: it is no chart that is shown.
        var known: [LibraryArtifact: Chart?]
    }

    /// Of a configuration, in bytes.
    private static let longest: Int64 = 1 << 20

    private let shelves = Mutex<[RepositoryName: Shelf]>([:])

    /// Those that who asks may read.
    /// - Throws: `.unavailable` where there is no such repository.
    func charts(of name: RepositoryName, _ context: RequestContext) async throws -> ExtraCharts {
        guard let library = context.library(name) else {
            throw FormatError(.unavailable, "«\(name)», which ociSource names, is no repository that holds artifacts: see the configuration")
        }
        let shelf = try await self.shelf(of: name, library, context.compute)
        var seen: [ChartID: Chart] = [:]
        var isWhole = true
        for chart in shelf.charts {
            guard library.mayRead(chart.artifact), context.isAllowed(Access(.read, path: chart.id.name.text)) else {
                isWhole = false
                continue
            }
            // Of two that push one version under two names, the one that came first is meant.
            if let other = seen[chart.id], other.artifact.created <= chart.artifact.created { continue }
            seen[chart.id] = chart
        }
        let names = isWhole ? "" : seen.keys.map(\.entryName).sorted(by: ByteText.precedes).joined(separator: "\n")
        let digest = names.isEmpty ? "" : context.digest(ByteBuffer(string: names))?.hex ?? names
        return ExtraCharts(state: "\(name):\(shelf.changes):\(isWhole ? "all" : digest)", charts: seen, library: library)
    }

    private func shelf(of name: RepositoryName, _ library: any ArtifactLibrary, _ compute: any BlockingPool) async throws -> Shelf {
        let old = self.shelves.withLock { $0[name] }
        if let old, old.changes == library.changes { return old }
        var shelf = Shelf(changes: library.changes, charts: [], known: [:])
        for artifact in try await library.artifacts(ofType: ChartArtifact.configType) {
            let chart: Chart?
            if let known = old?.known[artifact] { chart = known } else { chart = try await Self.chart(artifact, library, compute) }
            shelf.known[artifact] = .some(chart)
            if let chart { shelf.charts.append(chart) }
        }
        let made = shelf
        self.shelves.withLock { $0[name] = made }
        return shelf
    }

    /// nil: it is not what it says, or has gone.
    private static func chart(_ artifact: LibraryArtifact, _ library: any ArtifactLibrary, _ compute: any BlockingPool) async throws -> Chart? {
        guard let description = try await library.description(of: artifact), description.configuration.size <= Self.longest,
            let archive = description.files.first(where: { $0.mediaType == ChartArtifact.archiveType }),
            let content = try await library.content(description.configuration.digest, of: artifact)
        else { return nil }
        let bytes = try await content.source.readAll(description.configuration.size, on: compute)
        guard let metadata = try await compute.run({ Self.metadata(bytes) }) else { return nil }
        let entry = ChartIndex.entry(
            metadata, created: artifact.created.isoText, digest: archive.digest.hex, url: PercentEncoding.path(metadata.id.file))
        let provenance = description.files.first { $0.mediaType == ChartArtifact.provenanceType }
        return Chart(id: metadata.id, artifact: artifact, entry: entry, archive: archive.digest, provenance: provenance?.digest)
    }

    /// The configuration is `Chart.yaml` as JSON, which is YAML.
    private static func metadata(_ bytes: ByteBuffer) -> ChartMetadata? {
        do { return try ChartMetadata(Array(bytes.readableBytesView)) } catch { return nil }
    }
}

/// Charts beside those of the repository's own.
struct ExtraCharts: Hashable, Sendable {
    /// Equal states, equal charts.
    let state: String
    let charts: [ChartID: ChartLibrary.Chart]
    let library: any ArtifactLibrary

    static func == (a: Self, b: Self) -> Bool { ByteText.equal(a.state, b.state) }
    func hash(into hasher: inout Hasher) { ByteText.hash(self.state, into: &hasher) }

    /// The archive, or its provenance; nil: there is none.
    func content(of id: ChartID, isProvenance: Bool) async throws -> Content? {
        guard let chart = self.charts[id], let digest = isProvenance ? chart.provenance : chart.archive else { return nil }
        return try await self.library.content(digest, of: chart.artifact)
    }
}
