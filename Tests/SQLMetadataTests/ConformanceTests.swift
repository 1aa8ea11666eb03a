import SQLMetadata
import StorageConformance
import Testing

@Suite("The metadata store over SQLite keeps the contract")
struct ConformanceTests {
    @Test("in memory", arguments: MetadataConformance.cases)
    func memory(_ demand: MetadataConformance.Case) async throws {
        try await withDatabase(.memory) { try await demand.run(MetadataFixture(try await metadata($0))) }
    }

    @Test("in a file", arguments: MetadataConformance.cases)
    func file(_ demand: MetadataConformance.Case) async throws {
        try await withDatabase(.file) { try await demand.run(MetadataFixture(try await metadata($0))) }
    }
}
