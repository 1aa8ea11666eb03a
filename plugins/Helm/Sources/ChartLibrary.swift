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

    /// Of a configuration, in bytes; and of all entries of a registry together, which are in memory.
    private static let longest: Int64 = 128 << 10
    private static let mostBytes = 32 << 20

    private let shelves = Mutex<[RepositoryName: Shelf]>([:])

    /// Those that who asks may read, and that nobody else owns.
    /// - Throws: `.unavailable` where there is no such repository.
    func charts(of name: RepositoryName, _ context: RequestContext) async throws -> ExtraCharts {
        guard let library = context.library(name) else {
            throw FormatError(.unavailable, "«\(name)», which ociSource names, is no repository that holds artifacts: see the configuration")
        }
        let shelf = try await self.shelf(of: name, library, context.compute)
        return try await context.compute.run { Self.seen(shelf, name, library, context) }
    }

    private static func seen(_ shelf: Shelf, _ name: RepositoryName, _ library: any ArtifactLibrary, _ context: RequestContext) -> ExtraCharts {
        var seen: [ChartID: Chart] = [:]
        for chart in shelf.charts {
            let isSeen =
                library.mayRead(chart.artifact) && context.isAllowed(Access(.read, path: chart.id.name.text)) && context.mayShow(name, chart.id.name.text)
            guard isSeen else { continue }
            // Of two that push one version under two names, the one that came first is meant.
            if let other = seen[chart.id], other.precedes(chart) { continue }
            seen[chart.id] = chart
        }
        // What one reader sees is no answer for another: by what it is made of.
        let all = seen.values.map { "\($0.id.entryName)@\($0.artifact.digest)" }.sorted(by: ByteText.precedes).joined(separator: "\n")
        return ExtraCharts(state: "\(name):\(context.digest(ByteBuffer(string: all))?.hex ?? all)", charts: seen, library: library)
    }

    private func shelf(of name: RepositoryName, _ library: any ArtifactLibrary, _ compute: any BlockingPool) async throws -> Shelf {
        let old = self.shelves.withLock { $0[name] }
        if let old, old.changes == library.changes { return old }
        var shelf = Shelf(changes: library.changes, charts: [], known: [:])
        var (bytes, isWhole) = (0, true)
        for artifact in try await library.artifacts(ofType: ChartArtifact.configType) {
            let chart: Chart?
            if let known = old?.known[artifact] {
                chart = known
            } else {
                switch await Self.chart(artifact, library, compute) {
                case .chart(let read): chart = read
                case .none: chart = nil
                case .unknown:
                    // In trouble or gone: it hides no other, and is looked at again.
                    isWhole = false
                    continue
                }
            }
            shelf.known[artifact] = .some(chart)
            guard let chart else { continue }
            bytes += chart.entry.count
            guard bytes <= Self.mostBytes else { throw FormatError(.unavailable, "the charts of «\(name)» are too many to be listed here (ociSource)") }
            shelf.charts.append(chart)
        }
        let made = shelf
        if isWhole { self.shelves.withLock { $0[name] = made } }
        return shelf
    }

    private enum Reading {
        case chart(Chart)
        case none, unknown
    }

    private static func chart(_ artifact: LibraryArtifact, _ library: any ArtifactLibrary, _ compute: any BlockingPool) async -> Reading {
        do {
            guard let description = try await library.description(of: artifact) else { return .unknown }
            guard description.configuration.size <= Self.longest, let archive = description.files.first(where: { $0.mediaType == ChartArtifact.archiveType })
            else {
                return .none
            }
            guard let content = try await library.content(description.configuration.digest, of: artifact) else { return .unknown }
            let bytes = try await content.source.readAll(description.configuration.size, on: compute)
            guard let metadata = try await compute.run({ Self.metadata(bytes, in: artifact) }) else { return .none }
            let entry = ChartIndex.entry(
                metadata, created: artifact.created.isoText, digest: archive.digest.hex, url: PercentEncoding.path(metadata.id.file))
            let provenance = description.files.first { $0.mediaType == ChartArtifact.provenanceType }
            return .chart(Chart(id: metadata.id, artifact: artifact, entry: entry, archive: archive.digest, provenance: provenance?.digest))
        } catch {
            return .unknown
        }
    }

    /// The configuration is `Chart.yaml` as JSON, which is YAML. Helm pushes a chart to a package that ends with its name.
    private static func metadata(_ bytes: ByteBuffer, in artifact: LibraryArtifact) -> ChartMetadata? {
        do {
            let metadata = try ChartMetadata(Array(bytes.readableBytesView))
            try metadata.check()
            return artifact.package.name.split(separator: "/").last.map(String.init) == metadata.name.text ? metadata : nil
        } catch {
            return nil
        }
    }
}

extension ChartLibrary.Chart {
    fileprivate func precedes(_ other: Self) -> Bool {
        if self.artifact.created != other.artifact.created { return self.artifact.created < other.artifact.created }
        return ByteText.precedes(self.artifact.package.name, other.artifact.package.name)
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
