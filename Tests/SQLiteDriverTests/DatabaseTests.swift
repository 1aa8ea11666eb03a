import ArtifactModel
import BlockingWork
import Foundation
import SQLMetadata
import SQLiteDriver
import StorageAPI
import Testing

@Suite("The SQLite database")
struct DatabaseTests {
    private static let table = SQLStep.define("CREATE TABLE t (n INTEGER PRIMARY KEY, s TEXT) STRICT;")

    private func withFile(_ body: (String, ThreadPool) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("entrepot-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let pool = ThreadPool(threads: 3)
        do { try await body(folder.appendingPathComponent("t.sqlite").path, pool) } catch {
            try await pool.shutdown()
            throw error
        }
        try await pool.shutdown()
    }

    private func insert(_ number: Int64) -> SQLStep {
        .run(SQLStatement("INSERT INTO t (n, s) VALUES ($1, $2)", [.integer(number), .text("text \(number)")]))
    }

    @Test("keeps what was committed when it is opened again, and its log is empty after it was closed")
    func reopened() async throws {
        try await self.withFile { path, pool in
            let first = try await SQLiteDatabase.open(.file(path), on: pool)
            try await first.commit([Self.table, insert(1)])
            try await first.close()
            #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
            let second = try await SQLiteDatabase.open(.file(path), on: pool)
            #expect(try await second.first(SQLStatement("SELECT s FROM t WHERE n = $1", [.integer(1)])) { $0.text(0) } == "text 1")
            try await second.close()
        }
    }

    @Test("serves readers while two hundred batches are committed, and no reader sees half of one")
    func readersAndWriters() async throws {
        try await self.withFile { path, pool in
            let database = try await SQLiteDatabase.open(.file(path), on: pool)
            try await database.commit([Self.table])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 { group.addTask { try await database.commit([insert(Int64(number)), insert(Int64(1000 + number))]) } }
                for _ in 0..<100 {
                    group.addTask {
                        let count = try await database.first(SQLStatement("SELECT COUNT(*) FROM t")) { $0.integer(0) }
                        #expect(try #require(count) % 2 == 0)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await database.first(SQLStatement("SELECT COUNT(*) FROM t")) { $0.integer(0) } == 400)
            try await database.close()
        }
    }

    @Test("refuses with «cancelled» a batch of a task that was cancelled, and everything once it is closed")
    func cancelled() async throws {
        try await self.withFile { path, pool in
            let database = try await SQLiteDatabase.open(.file(path), on: pool)
            try await database.commit([Self.table])
            let codes = await withTaskGroup(of: MetadataError.Code?.self) { group in
                group.cancelAll()
                group.addTask { await code { () throws(MetadataError) in try await database.commit([insert(1)]) } }
                group.addTask { await code { () throws(MetadataError) in _ = try await database.first(SQLStatement("SELECT 1")) { $0.integer(0) } } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes == [.cancelled, .cancelled])
            #expect(try await database.first(SQLStatement("SELECT COUNT(*) FROM t")) { $0.integer(0) } == 0)
            try await database.close()
            #expect(await code { () throws(MetadataError) in try await database.commit([insert(1)]) } == .cancelled)
            #expect(await code { () throws(MetadataError) in _ = try await database.first(SQLStatement("SELECT 1")) { $0.integer(0) } } == .cancelled)
        }
    }

    @Test("says «corrupt» of a file that is no database")
    func noDatabase() async throws {
        try await self.withFile { path, pool in
            try Data(repeating: 65, count: 8192).write(to: URL(fileURLWithPath: path))
            #expect(await code { () throws(MetadataError) in _ = try await SQLiteDatabase.open(.file(path), on: pool) } == .corrupt)
        }
    }

    @Test("gives back every kind of value as it was bound")
    func values() async throws {
        try await self.withFile { path, pool in
            let database = try await SQLiteDatabase.open(.file(path), on: pool)
            let bound: [SQLValue] = [.null, .integer(.min), .text(""), .text("a\u{0}é"), .bytes([]), .bytes([0, 255])]
            let read = try await database.first(SQLStatement("SELECT $1, $2, $3, $4, $5, $6", bound)) { row in (0..<6).map { row.value($0) } }
            #expect(read == bound)
            try await database.close()
        }
    }
}

private func code(_ work: () async throws(MetadataError) -> Void) async -> MetadataError.Code? {
    do { try await work() } catch { return error.code }
    return nil
}
