import ArtifactModel
import SQLMetadata
import SQLiteDriver
import StorageAPI
import Testing

@testable import SQLMetadata

@Suite("The schema")
struct MigrationTests {
    @Test("is made once, and a second start finds it as it is")
    func twice() async throws {
        try await withDatabase(.file) { database in
            _ = try await metadata(database)
            _ = try await metadata(database)
            let versions = try await database.read(SQLStatement("SELECT version FROM schema_versions ORDER BY version"), limit: 9) { $0.integer(0) }
            #expect(versions == [1, 2])
        }
    }

    @Test("of a newer program is refused by name")
    func newer() async throws {
        try await withDatabase(.memory) { database in
            _ = try await metadata(database)
            try await database.commit([.run(SQLStatement("INSERT INTO schema_versions (version, applied_at, program) VALUES (7, 0, 'later')"))])
            do {
                _ = try await metadata(database)
                Issue.record("it was opened")
            } catch let error as MetadataError {
                #expect(error.code == .corrupt)
                #expect(error.message.contains("schema 7"))
            }
        }
    }

    @Test("has PostgreSQL's words for PostgreSQL")
    func dialect() {
        let definition: StaticString = "CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB, t TEXT NOT NULL) STRICT, WITHOUT ROWID;"
        #expect(
            SQLDialect.postgresql.words(definition)
                == "CREATE TABLE t (id BIGINT PRIMARY KEY, b BYTEA, t TEXT COLLATE \"C\" NOT NULL);\n")
        #expect(SQLDialect.sqlite.words(definition) == definition.description)
    }

    @Test("gives row numbers that are never given twice, to two stores over one database")
    func numbers() async throws {
        try await withDatabase(.memory) { database in
            _ = try await metadata(database)
            let blocks = [IDBlocks(database), IDBlocks(database)]
            let taken = try await withThrowingTaskGroup(of: Range<Int64>.self) { group in
                for round in 0..<60 { group.addTask { try await blocks[round % 2].take(90 + round) } }
                return try await group.reduce(into: [Int64]()) { $0 += $1 }
            }
            #expect(Set(taken).count == taken.count)
            #expect(taken.count == (0..<60).reduce(0) { $0 + 90 + $1 })
        }
    }
}
