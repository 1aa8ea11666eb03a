import BlockingWork
import Foundation
import SQLMetadata
import SQLiteDriver
import Testing

/// A power cut can leave any beginning of the write-ahead log that was not synced, and worse.
@Suite("A database whose log is torn", .timeLimit(.minutes(2))) struct TornLogTests {
    private static let kept: ClosedRange<Int64> = 1...10
    private static let logged: ClosedRange<Int64> = 11...20

    /// Each number with its double below zero, in one batch.
    private func insert(_ number: Int64) -> [SQLStep] {
        [number, -number].map { .run(SQLStatement("INSERT INTO t (n, s) VALUES ($1, $2)", [.integer($0), .text(String(repeating: "x", count: 500))])) }
    }

    /// A database with the first rows in its file, and the later ones in its log only, as they lie while it is open.
    private func bytes(in folder: URL, _ pool: ThreadPool) async throws -> (file: Data, log: Data) {
        let path = folder.appendingPathComponent("whole.sqlite").path
        let first = try await SQLiteDatabase.open(.file(path), on: pool)
        try await first.commit([.define("CREATE TABLE t (n INTEGER PRIMARY KEY, s TEXT) STRICT;")])
        for number in Self.kept { try await first.commit(self.insert(number)) }
        try await first.close()
        let second = try await SQLiteDatabase.open(.file(path), on: pool)
        for number in Self.logged { try await second.commit(self.insert(number)) }
        let file = try Data(contentsOf: URL(fileURLWithPath: path))
        let log = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
        try await second.close()
        return (file, log)
    }

    /// Opens what a crash left, and writes to it.
    /// - Returns: the last number; every one before it is there too, and nothing else.
    private func last(of file: Data, _ log: Data, in folder: URL, _ pool: ThreadPool) async throws -> Int64 {
        let path = folder.appendingPathComponent("torn-\(UUID().uuidString).sqlite").path
        try file.write(to: URL(fileURLWithPath: path))
        try log.write(to: URL(fileURLWithPath: path + "-wal"))
        let database = try await SQLiteDatabase.open(.file(path), on: pool)
        #expect(try await database.first(SQLStatement("PRAGMA integrity_check")) { $0.text(0) } == "ok")
        let found = try await database.read(SQLStatement("SELECT n FROM t ORDER BY n"), limit: 100) { $0.integer(0) }
        let last = try #require(found.last)
        #expect(found == (-last...last).filter { $0 != 0 })
        try await database.commit(self.insert(last + 1))
        #expect(try await database.first(SQLStatement("SELECT max(n) FROM t")) { $0.integer(0) } == last + 1)
        try await database.close()
        return last
    }

    private func withBytes(_ body: (URL, ThreadPool, Data, Data) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("entrepot-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // Best effort: what a test leaves must not hide its own failure.
        defer { try? FileManager.default.removeItem(at: folder) }
        let pool = ThreadPool(threads: 3)
        let (file, log) = try await self.bytes(in: folder, pool)
        try await body(folder, pool, file, log)
        try await pool.shutdown()
    }

    @Test("opens with all that was checkpointed and with whole batches from the log, wherever it is cut")
    func cut() async throws {
        try await self.withBytes { folder, pool, file, log in
            var lasts: [Int64] = []
            for length in [0, 1, 31, 32, 33] + Array(stride(from: 1000, to: log.count, by: 1999)) + [log.count - 1, log.count] {
                lasts.append(try await self.last(of: file, log.prefix(length), in: folder, pool))
            }
            #expect(lasts.first == Self.kept.upperBound)
            #expect(lasts.last == Self.logged.upperBound)
            #expect(lasts == lasts.sorted())
            #expect(Set(lasts).count > 5, "the cuts show little: \(lasts)")
        }
    }

    @Test("believes nothing behind a spot where its log is damaged")
    func damaged() async throws {
        try await self.withBytes { folder, pool, file, log in
            for place in [0, 40, log.count / 2, log.count - 1] {
                var damaged = log
                damaged[damaged.startIndex + place] ^= 0x55
                let last = try await self.last(of: file, damaged, in: folder, pool)
                #expect((Self.kept.upperBound..<Self.logged.upperBound).contains(last), "damaged at \(place)")
            }
        }
    }
}
