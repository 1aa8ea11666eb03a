import ArtifactModel
import SQLMetadata
import SQLiteDriver
import StorageAPI
import StorageConformance
import Synchronization
import Testing

@Suite("A commit that fails")
struct FaultTests {
    /// Enough for every step of the edit below, and some that do not fail any more.
    @Test("at its n-th step leaves everything as it was", arguments: 1...40)
    func fault(step: Int) async throws {
        try await withDatabase(.memory) { database in
            let faulty = FaultyDatabase(database: database)
            let fixture = try await MetadataFixture(try await metadata(faulty))
            let package = PackageName(name: "p")
            try await fixture.commit([.put(fixture.component("p", "1", [try await fixture.asset("p/1", "old")])), .put(fixture.component("p", "0"))])
            let assets = [try await fixture.asset("p/1", "new"), try await fixture.asset("p/2", "two")]
            let edges = [Edge(kind: "layer", target: try #require(assets.first?.blob.digests.first))]
            let changes: [Edit.Change] = [
                .put(fixture.component("p", "1", assets, edges: edges)), .remove(Coordinates(package: package, version: "0")),
                .point(PointerName(package: package, kind: "tag", name: "t"), to: "1", .byPolicy), .setPackage(package, attributes: "[]"),
            ]
            let old = try await State(fixture)
            faulty.fail(at: step)
            let failed: Bool
            do {
                try await fixture.commit(changes, requiring: [.present([Coordinates(package: package, version: "1")])])
                failed = false
            } catch let error as MetadataError {
                #expect(error.code == .io)
                failed = true
            }
            let new = try await State(fixture)
            #expect(failed == (new == old))
            if !failed {
                #expect(
                    new == State(digests: ["p/1": assets[0].blob.digests[0], "p/2": assets[1].blob.digests[0]], versions: ["1"], tags: ["t"], attributes: "[]"))
            }
        }
    }
}

private struct State: Equatable {
    var digests: [String: ContentDigest]
    var versions: [String]
    var tags: [String]
    var attributes: String
}

extension State {
    init(_ fixture: MetadataFixture) async throws {
        let package = PackageName(name: "p")
        self.init(digests: [:], versions: [], tags: [], attributes: "")
        for path in ["p/1", "p/2"] {
            self.digests[path] = try await fixture.metadata.asset(at: AssetPath(checked: path), in: fixture.repository)?.digests.first
        }
        self.versions = try await fixture.metadata.rows(ContentQuery(.components(package), limit: 9), in: fixture.repository).rows.map(\.name)
        self.tags = try await fixture.metadata.rows(ContentQuery(.pointers(package, kind: "tag"), limit: 9), in: fixture.repository).rows.map(\.name)
        self.attributes = try await fixture.metadata.rows(ContentQuery(.package(package), limit: 9), in: fixture.repository).rows.first?.attributes ?? ""
    }
}

/// Puts a step that fails before the n-th step of the next commit; a commit with fewer steps goes through.
private final class FaultyDatabase: SQLDatabase {
    private let database: SQLiteDatabase
    private let step = Mutex<Int?>(nil)

    init(database: SQLiteDatabase) { self.database = database }

    func fail(at step: Int) { self.step.withLock { $0 = step } }

    var dialect: SQLDialect { self.database.dialect }

    func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> Result) async throws(MetadataError) -> Result {
        try await self.database.read(body)
    }

    func commit(_ batch: [SQLStep]) async throws(MetadataError) {
        var batch = batch
        let step = self.step.withLock { step in
            defer { step = nil }
            return step
        }
        if let step, step <= batch.count {
            batch.insert(.require(SQLStatement("SELECT 1 WHERE 1 = 0"), .someRow, orElse: .io), at: step - 1)
        }
        try await self.database.commit(batch)
    }
}
