import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import Maintenance
import NIOCore
import RepositoryEngine
import StorageAPI
import Testing

/// Files below `parts/<package>/` are parts of that package, named by their last segment; all else stands for itself.
private struct PartFormat: RepositoryFormat {
    struct Operation: FormatOperation {
        var name: StaticString { "part.none" }
        var accesses: [Access] { [] }
    }
    static let id = "part"

    static func part(at path: AssetPath) -> Part? {
        let segments = path.text.split(separator: "/").map(String.init)
        guard segments.count == 3, segments[0] == "parts" else { return nil }
        return Part(of: PackageName(name: segments[1]), target: segments[2])
    }
    static func unusedPartAge(_ settings: NoSettings) -> Duration? { .seconds(3600) }

    func parse(_ head: RequestHead) throws(FormatError) -> Operation { Operation() }
    func respond(to operation: Operation, _ request: ArtifactRequest, in content: any RepositoryContent, _ settings: NoSettings) async throws
        -> ArtifactResponse
    { ArtifactResponse(.notFound) }
    func render(_ failure: Failure, for head: RequestHead) -> ArtifactResponse { ArtifactResponse(.badRequest) }
}

@Suite("Parts that nothing uses") struct PartSweeperTests {
    private static let hour = Duration.seconds(3601)

    private func site() async throws -> TestSite {
        try await TestSite.make(PartFormat(), site: NoSettings(), [.init("one"), .init("frozen", policy: .deny)])
    }

    private func sweeper(_ site: TestSite, ledger: (any PartLedger)? = nil) -> PartSweeper {
        let catalogue = Catalogue(site.repositories, formats: [SitedFormat(PartFormat(), site: NoSettings())])
        return PartSweeper(catalogue, ledger: ledger ?? site.metadata, metadata: site.metadata, now: { site.clock.now })
    }

    private func link(_ text: String, at path: (ContentDigest) -> String, in content: any RepositoryContent) async throws -> AssetPath {
        let blob = try await content.stage(.chunks([ByteBuffer(string: text)]), StageDemand())
        let path = AssetPath(checked: path(try #require(blob.digests.first)))
        try await content.commit(Edit([.putAsset(NewAsset(path, blob, contentType: "x/y"), .always), .renew(path)]))
        return path
    }

    private func part(_ text: String, of package: String = "p", in content: any RepositoryContent) async throws -> (path: AssetPath, digest: ContentDigest) {
        let path = try await self.link(text, at: { "parts/\(package)/\($0)" }, in: content)
        return (path, try ContentDigest(try #require(path.text.split(separator: "/").last.map(String.init))))
    }

    private func component(naming digests: [ContentDigest], kind: String = "layer") -> Component {
        Component(
            Coordinates(package: PackageName(name: "p"), version: "1"), assets: [], edges: digests.map { Edge(kind: kind, target: $0) })
    }

    private func isThere(_ path: AssetPath, _ site: TestSite) async throws -> Bool {
        try await site.metadata.asset(at: path, in: site.repositories[0].id) != nil
    }

    @Test("go once they are older than the age, and not before")
    func age() async throws {
        let site = try await self.site()
        let part = try await self.part("layer", in: try site.content(of: "one"))
        #expect(try await self.sweeper(site).run() == 0)
        site.clock.advance(by: .seconds(3600))
        #expect(try await self.sweeper(site).run() == 0)
        site.clock.advance(by: .seconds(1))
        #expect(try await self.sweeper(site).run() == 1)
        #expect(try await !self.isThere(part.path, site))
        #expect(try await self.sweeper(site).run() == 0)
    }

    @Test("stay while an edge of their package names them, of whatever kind, and go after it", arguments: ["config", "layer", "child", "subject"])
    func named(_ kind: String) async throws {
        let site = try await self.site()
        let content = try site.content(of: "one")
        let part = try await self.part("layer", in: content)
        let elsewhere = try await self.part("layer", of: "q", in: content)
        let component = self.component(naming: [part.digest], kind: kind)
        try await content.commit(Edit(requiring: [.linked([part.path])], [.put(component)]))
        site.clock.advance(by: Self.hour)
        #expect(try await self.sweeper(site).run() == 1)
        #expect(try await self.isThere(part.path, site))
        #expect(try await !self.isThere(elsewhere.path, site))
        try await content.commit(Edit([.remove(component.coordinates)]))
        #expect(try await self.sweeper(site).run() == 1)
        #expect(try await !self.isThere(part.path, site))
    }

    @Test("are renewed by equal bytes that come again, by a link, and by being asked for in time")
    func renewed() async throws {
        let site = try await self.site()
        let content = try site.content(of: "one")
        let part = try await self.part("layer", in: content)
        for way in 0..<3 {
            site.clock.advance(by: .seconds(2400))
            switch way {
            case 0: _ = try await self.part("layer", in: content)
            case 1: try await content.commit(Edit([.link(part.path, from: try RepositoryName("one"), part.path), .renew(part.path)]))
            default: _ = try await content.content(ContentRequest(part.path, .immutable, renewingAfter: .seconds(1800)))
            }
            #expect(try await self.sweeper(site).run() == 0)
        }
        _ = try await content.content(ContentRequest(part.path, .immutable))
        site.clock.advance(by: Self.hour)
        #expect(try await self.sweeper(site).run() == 1)
    }

    @Test("are told from files that stand for themselves, from uploads that go on, and from what takes no writes")
    func others() async throws {
        let site = try await self.site()
        let content = try site.content(of: "one")
        let file = try await self.link("file", at: { _ in "parts/file" }, in: content)
        let uploads = content.uploads(in: "p")
        let session = try await uploads.begin()
        _ = try await uploads.append(.chunks([ByteBuffer(string: "half")]), to: session, at: nil, exactly: nil)
        site.clock.advance(by: Self.hour)
        #expect(try await self.sweeper(site).run() == 0)
        #expect(try await self.isThere(file, site))
        #expect(try await uploads.length(of: session) == 4)
    }

    @Test("are swept in slices, however many there are")
    func slices() async throws {
        let site = try await self.site()
        let content = try site.content(of: "one")
        var named: [ContentDigest] = []
        for number in 0..<2150 {
            let part = try await self.part("\(number)", in: content)
            if number.isMultiple(of: 10) { named.append(part.digest) }
        }
        try await content.commit(Edit([.put(self.component(naming: named))]))
        site.clock.advance(by: Self.hour)
        #expect(try await self.sweeper(site).run() == 2150 - 215)
        #expect(try await self.sweeper(site).run() == 0)
    }

    @Test("a manifest, a push or a removal between the sweep's look and its removal wins, and the others of the slice go", arguments: 0..<3)
    func meanwhile(_ event: Int) async throws {
        let site = try await self.site()
        let content = try site.content(of: "one")
        let contested = try await self.part("contested", in: content)
        let other = try await self.part("other", in: content)
        site.clock.advance(by: Self.hour)
        let ledger = InterruptedLedger(ledger: site.metadata) {
            switch event {
            case 0: try await content.commit(Edit(requiring: [.linked([contested.path])], [.put(self.component(naming: [contested.digest]))]))
            case 1: _ = try await self.part("contested", in: content)
            default: try await content.commit(Edit([.removeAsset(contested.path)]))
            }
        }
        #expect(try await self.sweeper(site, ledger: ledger).run() == 1)
        #expect(try await self.isThere(contested.path, site) == (event < 2))
        #expect(try await !self.isThere(other.path, site))
    }

    @Test("a manifest that comes after the removal is refused, and names what is missing")
    func late() async throws {
        let site = try await self.site()
        let content = try site.content(of: "one")
        let part = try await self.part("layer", in: content)
        site.clock.advance(by: Self.hour)
        #expect(try await self.sweeper(site).run() == 1)
        await #expect(throws: Edit.Refused.requirement(0)) {
            try await content.commit(Edit(requiring: [.linked([part.path])], [.put(self.component(naming: [part.digest]))]))
        }
    }

    @Test("are looked for once in their age where only what is due is asked for")
    func due() async throws {
        let site = try await self.site()
        let sweeper = self.sweeper(site)
        #expect(try await sweeper.run(onlyDue: true) == 0)
        _ = try await self.part("layer", in: try site.content(of: "one"))
        site.clock.advance(by: .seconds(3599))
        #expect(try await sweeper.run(onlyDue: true) == 0)
        site.clock.advance(by: .seconds(2))
        #expect(try await sweeper.run(onlyDue: true) == 1)
    }
}

/// Something happens between the sweep's look and its removal.
private final class InterruptedLedger: PartLedger {
    private let ledger: any PartLedger
    private let interruption: @Sendable () async throws -> Void
    init(ledger: any PartLedger, _ interruption: @escaping @Sendable () async throws -> Void) {
        self.ledger = ledger
        self.interruption = interruption
    }

    func loose(in repository: RepositoryID, after path: String, before moment: Timestamp, limit: Int) async throws(MetadataError) -> LooseSlice {
        try await self.ledger.loose(in: repository, after: path, before: moment, limit: limit)
    }

    func unnamed(_ parts: [LoosePart], in repository: RepositoryID) async throws(MetadataError) -> [LoosePart] {
        let found = try await self.ledger.unnamed(parts, in: repository)
        do { try await self.interruption() } catch { throw MetadataError(.io, "the interruption failed", cause: error) }
        return found
    }
}
