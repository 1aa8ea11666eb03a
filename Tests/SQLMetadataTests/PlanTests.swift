import SQLMetadata
import SQLiteDriver
import StorageAPI
import StorageConformance
import Synchronization
import Testing

@Suite("How SQLite finds rows")
struct PlanTests {
    @Test("no statement of the whole contract scans a table or sorts")
    func plans() async throws {
        let seen = Mutex<[UInt: SQLStatement]>([:])
        let note: @Sendable (SQLStatement) -> Void = { statement in
            seen.withLock { $0[UInt(bitPattern: statement.text.utf8Start)] = statement }
        }
        for demand in MetadataConformance.cases {
            try await withDatabase(.memory) { database in
                try await demand.run(MetadataFixture(try await metadata(NotingDatabase(database: database, note: note))))
            }
        }
        let statements = seen.withLock { Array($0.values) }
        #expect(statements.count > 40)
        try await withDatabase(.memory) { database in
            _ = try await metadata(database)
            for statement in statements {
                let plan = try await database.plan(of: statement)
                let bad = plan.filter { ($0.hasPrefix("SCAN ") && $0 != "SCAN CONSTANT ROW") || $0.contains("TEMP B-TREE") }
                #expect(bad.isEmpty, "\(statement.text): \(plan)")
            }
        }
    }
}

/// Tells of every statement that passes.
private struct NotingDatabase: SQLDatabase {
    let database: SQLiteDatabase
    let note: @Sendable (SQLStatement) -> Void

    var dialect: SQLDialect { self.database.dialect }

    func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> Result) async throws(MetadataError) -> Result {
        try await self.database.read { [note] reader in try body(NotingReader(reader: reader, note: note)) }
    }

    func commit(_ batch: [SQLStep]) async throws(MetadataError) {
        for step in batch {
            switch step {
            case .run(let statement), .require(let statement, _, _): self.note(statement)
            case .define: break
            }
        }
        try await self.database.commit(batch)
    }
}

private final class NotingReader: SQLReader {
    let reader: any SQLReader
    let note: @Sendable (SQLStatement) -> Void

    init(reader: any SQLReader, note: @escaping @Sendable (SQLStatement) -> Void) {
        self.reader = reader
        self.note = note
    }

    func rows(_ query: SQLStatement, limit: Int, _ each: (borrowing SQLRow) throws -> Void) throws {
        self.note(query)
        try self.reader.rows(query, limit: limit, each)
    }
}
