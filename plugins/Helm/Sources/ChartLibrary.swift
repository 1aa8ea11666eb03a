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
        var known: [LibraryArtifact: Chart?] = [:]
        /// When to look again at those that could not be read; nil: there are none.
        var retry: Timestamp?
        /// Those of them that are there, and could not be read for another reason.
        var failed: [LibraryArtifact] = []
        /// Of entries, in bytes.
        var size = 0
        var sizes: [PackageName: Int] = [:]

        /// Whether there may be more of a package: one that fills the shelf takes no place from another.
        func hasRoom(for package: PackageName) -> Bool { self.size < ChartLibrary.mostBytes && self.sizes[package, default: 0] < ChartLibrary.mostOfPackage }

        mutating func add(_ chart: Chart) {
            self.charts.append(chart)
            self.size += chart.entry.count
            self.sizes[chart.artifact.package, default: 0] += chart.entry.count
        }
    }

    /// Of a configuration, in bytes.
    private static let longest: Int64 = 128 << 10
    /// Of all entries of a registry together, which are in memory, and of those of one package: what comes after that is not shown.
    private static let mostBytes = 32 << 20
    private static let mostOfPackage = 4 << 20
    private static let retryAfter = Duration.seconds(10)

    private let shelves = Mutex<[RepositoryName: Shelf]>([:])

    /// Those that who asks may read, and that nobody else owns.
    /// - Throws: `.unavailable` where there is no such repository.
    func charts(of name: RepositoryName, _ context: RequestContext) async throws -> ExtraCharts {
        guard let library = context.library(name) else {
            throw FormatError(.unavailable, "«\(name)», which ociSource names, is no repository that holds artifacts: see the configuration")
        }
        let shelf = try await self.shelf(of: name, library, context)
        return try await context.compute.run { Self.seen(shelf, name, library, context) }
    }

    private static func seen(_ shelf: Shelf, _ name: RepositoryName, _ library: any ArtifactLibrary, _ context: RequestContext) -> ExtraCharts {
        var seen: [ChartID: Chart] = [:]
        for chart in shelf.charts {
            let isSeen =
                library.mayRead(chart.artifact) && context.isAllowed(Access(.read, path: chart.id.name.text)) && context.mayShow(chart.id.name.text)
            guard isSeen else { continue }
            // Of two that push one version under two names, the one that came first is meant.
            if let other = seen[chart.id], other.precedes(chart) { continue }
            seen[chart.id] = chart
        }
        // What one reader sees is no answer for another: by what it is made of.
        let all = seen.values.map { "\($0.id.entryName)@\($0.artifact.digest)" }.sorted(by: ByteText.precedes).joined(separator: "\n")
        let failed = Set(shelf.failed.filter(library.mayRead).compactMap { Self.chartName($0) })
        return ExtraCharts(state: "\(name):\(context.digest(ByteBuffer(string: all))?.hex ?? all)", charts: seen, failed: failed, library: library)
    }

    private func shelf(of name: RepositoryName, _ library: any ArtifactLibrary, _ context: RequestContext) async throws -> Shelf {
        let old = self.shelves.withLock { $0[name] }
        if let old, old.changes == library.changes, old.retry.map({ context.now() < $0 }) ?? true { return old }
        var shelf = Shelf(changes: library.changes, charts: [])
        for artifact in try await library.artifacts(ofType: ChartArtifact.configType) where shelf.hasRoom(for: artifact.package) {
            var reading = old?.known[artifact].map { $0.map(Reading.chart) ?? .nothing }
            if reading == nil { reading = try await Self.chart(artifact, library, context.compute) }
            switch reading {
            case .chart(let chart)?:
                shelf.known[artifact] = .some(chart)
                shelf.add(chart)
            case .nothing?: shelf.known[artifact] = .some(nil)
            // It hides no other, and is looked at again.
            case .gone?, nil: shelf.retry = context.now() + Self.retryAfter
            case .failed?:
                shelf.failed.append(artifact)
                shelf.retry = context.now() + Self.retryAfter
            }
        }
        let made = shelf
        self.shelves.withLock { $0[name] = made }
        return shelf
    }

    private enum Reading {
        case chart(Chart)
        /// It is no chart that is shown.
        case nothing
        case gone, failed
    }

    /// - Throws: where it was broken off, and nothing is known.
    private static func chart(_ artifact: LibraryArtifact, _ library: any ArtifactLibrary, _ compute: any BlockingPool) async throws -> Reading {
        do {
            guard let description = try await library.description(of: artifact) else { return .gone }
            guard description.configuration.size <= Self.longest, let archive = description.files.first(where: { $0.mediaType == ChartArtifact.archiveType })
            else {
                return .nothing
            }
            guard let content = try await library.content(description.configuration.digest, of: artifact) else { return .gone }
            let bytes = try await content.source.readAll(description.configuration.size, on: compute)
            guard let metadata = try await compute.run({ Self.metadata(bytes, in: artifact) }) else { return .nothing }
            let entry = ChartIndex.entry(
                metadata, created: artifact.created.isoText, digest: archive.digest.hex, url: PercentEncoding.path(metadata.id.file))
            let provenance = description.files.first { $0.mediaType == ChartArtifact.provenanceType }
            return .chart(Chart(id: metadata.id, artifact: artifact, entry: entry, archive: archive.digest, provenance: provenance?.digest))
        } catch {
            try Task.checkCancellation()
            return .failed
        }
    }

    /// Helm pushes a chart to a package that ends with its name.
    private static func chartName(_ artifact: LibraryArtifact) -> String? { artifact.package.name.split(separator: "/").last.map(String.init) }

    /// The configuration is `Chart.yaml` as JSON, which is YAML.
    private static func metadata(_ bytes: ByteBuffer, in artifact: LibraryArtifact) -> ChartMetadata? {
        do {
            let metadata = try ChartMetadata(Array(bytes.readableBytesView))
            try metadata.check()
            return Self.chartName(artifact) == metadata.name.text ? metadata : nil
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
    /// Names of charts of which something could not be read.
    let failed: Set<String>
    let library: any ArtifactLibrary

    static func == (a: Self, b: Self) -> Bool { ByteText.equal(a.state, b.state) }
    func hash(into hasher: inout Hasher) { ByteText.hash(self.state, into: &hasher) }

    /// The archive, or its provenance; nil: there is none.
    /// - Throws: `.unavailable` where nobody can say.
    func content(of id: ChartID, isProvenance: Bool) async throws -> Content? {
        guard let chart = self.charts[id] else {
            guard self.failed.contains(id.name.text) else { return nil }
            throw FormatError(.unavailable, "the registry has charts «\(id.name)» that cannot be read now; try again", retryAfter: .seconds(10))
        }
        guard let digest = isProvenance ? chart.provenance : chart.archive else { return nil }
        return try await self.library.content(digest, of: chart.artifact)
    }
}
