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
        for statistics in Statistics.allCases {
            try await withDatabase(.memory) { database in
                _ = try await metadata(database)
                if let script = statistics.script { try await database.commit([.define(script)]) }
                for statement in statements {
                    let plan = try await database.plan(of: statement)
                    let bad = plan.filter { ($0.hasPrefix("SCAN ") && $0 != "SCAN CONSTANT ROW") || $0.contains("TEMP B-TREE") }
                    #expect(bad.isEmpty, "\(statistics) statistics: \(statement.text): \(plan)")
                }
            }
        }
    }
}

/// What SQLite remembers of a database that was stopped, as read from real ones: with one image, and with a million assets.
///
/// Those of a server that was stopped soon after its first push stay until it is stopped again, however much it has grown by then.
private enum Statistics: CaseIterable {
    case no, few, many

    /// For the one connection of a database in memory: ANALYZE of the schema reads them.
    var script: String? {
        guard !self.rows.isEmpty else { return nil }
        let values = self.rows.map { index, statistics in
            let words = index.split(separator: "_")
            return "('\(words[words.count == 4 ? 2 : 0])', '\(index)', '\(statistics)')"
        }.joined(separator: ", ")
        return "ANALYZE; DELETE FROM sqlite_stat1; INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES \(values); ANALYZE sqlite_schema;"
    }

    private var rows: [(String, String)] {
        switch self {
        case .no: []
        case .few:
            [
                ("assets_blob", "9 1"), ("assets_component", "2 1 1"), ("components_ordered", "2 2 2 1"), ("components_recent", "2 2 1 1"),
                ("sqlite_autoindex_assets_1", "9 5 1"), ("sqlite_autoindex_components_1", "2 2 1"), ("sqlite_autoindex_packages_1", "1 1 1 1"),
                ("edges", "7 4 2 1"), ("edges_target", "7 7 1 1 1 1"), ("packages_label", "1 1 1"),
            ]
        case .many:
            [
                ("assets_blob", "1000279 1"), ("assets_component", "100052 1 1"), ("components_ordered", "100052 111 111 1"),
                ("sqlite_autoindex_assets_1", "1000279 500140 1"), ("sqlite_autoindex_components_1", "100052 111 1"),
                ("sqlite_autoindex_packages_1", "902 902 902 1"), ("components_recent", "100052 100052 25013 1"), ("edges", "400157 4 2 1"),
                ("edges_target", "400157 444 1 1 1 1"),
                ("packages_label", "902 902 1"), ("pointers", "100001 111 111 1"), ("pointers_target", "100001 111 1"),
            ]
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
