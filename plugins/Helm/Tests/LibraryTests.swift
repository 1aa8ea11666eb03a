import ArtifactModel
import Crypto
import FormatAPI
import FormatTestKit
import Foundation
import NIOCore
import RepositoryEngine
import Synchronization
import Testing

@testable import HelmFormat

/// Charts of a registry, which is played here: the real one is in the tests with Helm.
@Suite("Charts of a registry in a chart repository")
struct LibraryTests {
    private final class Registry: ArtifactLibrary {
        let state = Mutex<(changes: UInt64, charts: [Chart], asked: Int)>((0, [], 0))
        let hidden: String
        /// Those that cannot be described now.
        let broken = Mutex<Set<String>>([])

        init(hiding hidden: String = "") { self.hidden = hidden }

        func push(_ chart: Chart) {
            self.state.withLock { state in
                state.charts.append(chart)
                state.changes += 1
            }
        }

        var changes: UInt64 { self.state.withLock { $0.changes } }

        private static func digest(_ bytes: ByteBuffer) throws -> ContentDigest {
            try #require(ContentDigest(.sha256, SHA256.hash(data: Data(bytes.readableBytesView))))
        }
        private static func artifact(_ chart: Chart) throws -> LibraryArtifact {
            LibraryArtifact(
                package: PackageName(name: "team/\(chart.name)"), digest: try Self.digest(ByteBuffer(string: chart.yaml)),
                created: Timestamp(milliseconds: 1000))
        }

        func artifacts(ofType type: String) async throws -> [LibraryArtifact] {
            #expect(type == "application/vnd.cncf.helm.config.v1+json")
            return try self.state.withLock { $0.charts }.map(Self.artifact)
        }

        func mayRead(_ artifact: LibraryArtifact) -> Bool { artifact.package.name != "team/\(self.hidden)" }

        private func chart(_ artifact: LibraryArtifact) throws -> Chart? { try self.state.withLock { $0.charts }.first { try Self.artifact($0) == artifact } }

        func description(of artifact: LibraryArtifact) async throws -> LibraryDescription? {
            self.state.withLock { $0.asked += 1 }
            guard let chart = try self.chart(artifact) else { return nil }
            if self.broken.withLock({ $0.contains(chart.name) }) {
                guard chart.name == "failing" else { return nil }
                throw FormatError(.unavailable, "the disk is gone")
            }
            let config = ByteBuffer(string: chart.yaml)
            let file = { (type: String, bytes: ByteBuffer) throws in
                LibraryDescription.File(mediaType: type, digest: try Self.digest(bytes), size: Int64(bytes.readableBytes))
            }
            return LibraryDescription(
                configuration: try file(ChartArtifact.configType, config),
                files: [try file("other", ByteBuffer(string: "x")), try file(ChartArtifact.archiveType, chart.archive)])
        }

        func content(_ digest: ContentDigest, of artifact: LibraryArtifact) async throws -> Content? {
            guard let chart = try self.chart(artifact) else { return nil }
            let bytes = try Self.digest(chart.archive) == digest ? chart.archive : ByteBuffer(string: chart.yaml)
            let head = ContentHead(digests: [digest], size: Int64(bytes.readableBytes), contentType: "", entityTag: "", change: .immutable)
            return Content(head: head, member: try RepositoryName("images"), source: MemoryContent(bytes))
        }
    }

    private static func context(_ registry: Registry?) throws -> RequestContext {
        var context = RequestContext(repository: try RepositoryName("charts"), principal: "", requestID: "", compute: ImmediatePool())
        context.library = { $0.text == "images" ? registry : nil }
        return context
    }

    private struct ImmediatePool: BlockingPool {
        func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T { try work() }
    }

    @Test("each is read once, and the list again when something has changed")
    func changes() async throws {
        let (registry, library, images) = (Registry(), ChartLibrary(), try RepositoryName("images"))
        registry.push(Chart(name: "app", version: "1.0.0"))
        let first = try await library.charts(of: images, Self.context(registry))
        #expect(first.charts.keys.map(\.description) == ["app 1.0.0"])
        #expect(try await library.charts(of: images, Self.context(registry)) == first && registry.state.withLock { $0.asked } == 1)
        registry.push(Chart(name: "app", version: "2.0.0+b"))
        let second = try await library.charts(of: images, Self.context(registry))
        #expect(second != first && Set(second.charts.keys.map(\.description)) == ["app 1.0.0", "app 2.0.0+b"] && registry.state.withLock { $0.asked } == 2)
        let chart = Chart(name: "app", version: "2.0.0+b")
        let id = try #require(second.charts.keys.first { $0.version.text == "2.0.0+b" })
        let content = try #require(try await second.content(of: id, isProvenance: false))
        #expect(try await content.source.readAll(1 << 20, on: ImmediatePool()) == chart.archive)
        #expect(try await second.content(of: id, isProvenance: true) == nil)
        let entry = String(decoding: second.charts[id]?.entry ?? [], as: UTF8.self)
        #expect(entry.hasSuffix("\"digest\":\"\(chart.digest)\",\"urls\":[\"app-2.0.0%2Bb.tgz\"]}"))
    }

    @Test("what cannot be read hides no other, and is looked at again after a while, alone")
    func broken() async throws {
        let (registry, library, images) = (Registry(), ChartLibrary(), try RepositoryName("images"))
        for name in ["app", "gone"] { registry.push(Chart(name: name, version: "1.0.0")) }
        registry.push(Chart(name: "failing", version: "1.0.0"))
        registry.broken.withLock { $0 = ["gone", "failing"] }
        var context = try Self.context(registry)
        for _ in 0..<3 { #expect(try await library.charts(of: images, context).charts.keys.map(\.description) == ["app 1.0.0"]) }
        #expect(registry.state.withLock { $0.asked } == 3)
        // Trouble is not absence.
        let known = try await library.charts(of: images, context)
        let version = try ChartVersion("1.0.0")
        #expect(try await known.content(of: ChartID(name: ChartName("gone"), version: version), isProvenance: false) == nil)
        await #expect { try await known.content(of: ChartID(name: ChartName("failing"), version: version), isProvenance: false) } throws: {
            ($0 as? FormatError)?.code == .unavailable
        }
        registry.broken.withLock { $0 = [] }
        #expect(try await library.charts(of: images, context).charts.count == 1)
        context.now = { Timestamp(milliseconds: 10_000) }
        #expect(try await library.charts(of: images, context).charts.count == 3)
        #expect(registry.state.withLock { $0.asked } == 5)
    }

    @Test("of a package, and of all, so much is shown, and what is more takes no place from another")
    func room() async throws {
        let (registry, library, images) = (Registry(), ChartLibrary(), try RepositoryName("images"))
        let long = "description: \(String(repeating: "d", count: 120 << 10))"
        for minor in 0..<50 { registry.push(Chart(name: "greedy", version: "1.\(minor).0", fields: long)) }
        registry.push(Chart(name: "app", version: "1.0.0"))
        let context = try Self.context(registry)
        let shown = try await library.charts(of: images, context).charts
        #expect(shown.keys.contains { $0.name.text == "app" } && (30..<40).contains(shown.count))
        _ = try await library.charts(of: images, context)
        #expect(registry.state.withLock { $0.asked } == shown.count)
    }

    @Test("what may not be read is not there, and what is no chart hides no other")
    func rights() async throws {
        let (registry, library, images) = (Registry(hiding: "secret"), ChartLibrary(), try RepositoryName("images"))
        for chart in [Chart(name: "secret", version: "1.0.0"), Chart(name: "open", version: "1.0.0"), Chart(name: "no/name", version: "1.0.0")] {
            registry.push(chart)
        }
        let seen = try await library.charts(of: images, Self.context(registry))
        #expect(seen.charts.keys.map(\.description) == ["open 1.0.0"])
        await #expect(throws: FormatError.self) { try await library.charts(of: images, Self.context(nil)) }
        // What one sees is no answer for who sees another chart of the same name, and what another repository owns is nobody's here.
        let other = Registry(hiding: "nothing")
        other.push(Chart(name: "open", version: "1.0.0", fields: "description: another"))
        let (mine, theirs) = (ChartLibrary(), ChartLibrary())
        #expect(try await mine.charts(of: images, Self.context(registry)) != theirs.charts(of: images, Self.context(other)))
        var owned = try Self.context(registry)
        owned.mayShow = { name in name != "open" }
        #expect(try await library.charts(of: images, owned).charts.isEmpty)
    }
}
