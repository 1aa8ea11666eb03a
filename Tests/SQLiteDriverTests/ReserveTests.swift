import ArtifactModel
import Foundation
import SQLMetadata
import StorageAPI
import Synchronization
import Testing

@testable import SQLiteDriver

/// So many pieces, each of which makes room for one row.
private final class FakeReserve: SpaceReserve {
    private let left: Mutex<Int>
    private let path: String

    init(pieces: Int, path: String) {
        self.left = Mutex(pieces)
        self.path = path
    }

    var pieces: Int { self.left.withLock { $0 } }

    func release() -> Bool {
        self.left.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            do {
                // The writer's transaction is over when it asks.
                let connection = try SQLiteConnection(.file(self.path), for: .writing, SQLiteOptions())
                try connection.script("INSERT INTO room DEFAULT VALUES;")
                return true
            } catch {
                Issue.record(error)
                return false
            }
        }
    }

    func provide() -> Bool { false }
}

@Suite("A database without space")
struct ReserveTests {
    /// Says that there is no space until there is a row in `room`.
    private static let batch: [SQLStep] = [
        .require(SQLStatement("SELECT n FROM room"), .someRow, orElse: .noSpace), .run(SQLStatement("INSERT INTO t DEFAULT VALUES")),
    ]

    private static func commit(_ batch: [SQLStep], to writer: SQLiteWriter, isFreeing: Bool) async -> MetadataError.Code? {
        do { try await writer.commit(batch, isFreeing: isFreeing) } catch { return error.code }
        return nil
    }

    private func withWriter(pieces: Int, _ body: (SQLiteWriter, FakeReserve) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("entrepot-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("t.sqlite").path
        let reserve = FakeReserve(pieces: pieces, path: path)
        let writer = SQLiteWriter(try Self.connection(path), reserve: reserve)
        try await body(writer, reserve)
        try await writer.close()
    }

    private static func connection(_ path: String) throws -> sending SQLiteConnection {
        let connection = try SQLiteConnection(.file(path), for: .writing, SQLiteOptions())
        try connection.script("CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT; CREATE TABLE room (n INTEGER PRIMARY KEY) STRICT;")
        return connection
    }

    private func rows(_ writer: SQLiteWriter) throws -> Int {
        try writer.read { connection in
            var count = 0
            try connection.rows(SQLStatement("SELECT n FROM t"), limit: .max) { _ in count += 1 }
            return count
        }
    }

    @Test("runs a batch that frees space once more with the reserve, and it is there once")
    func freeing() async throws {
        try await self.withWriter(pieces: 1) { writer, reserve in
            #expect(await Self.commit(Self.batch, to: writer, isFreeing: true) == nil)
            #expect(reserve.pieces == 0)
            let rows = try self.rows(writer)
            #expect(rows == 1)
        }
    }

    @Test("tells that there is no space where the reserve is gone already")
    func gone() async throws {
        try await self.withWriter(pieces: 0) { writer, _ in
            #expect(await Self.commit(Self.batch, to: writer, isFreeing: true) == .noSpace)
            let rows = try self.rows(writer)
            #expect(rows == 0)
        }
    }

    @Test("gives nothing of it to a batch that frees none, nor for a refusal that is not for want of space")
    func others() async throws {
        try await self.withWriter(pieces: 1) { writer, reserve in
            #expect(await Self.commit(Self.batch, to: writer, isFreeing: false) == .noSpace)
            let never = [SQLStep.require(SQLStatement("SELECT n FROM t"), .someRow, orElse: .busy)]
            #expect(await Self.commit(never, to: writer, isFreeing: true) == .busy)
            #expect(reserve.pieces == 1)
            let rows = try self.rows(writer)
            #expect(rows == 0)
        }
    }

    @Test("among many writers at once gives the reserve to those that free, and each of them is done")
    func together() async throws {
        try await self.withWriter(pieces: 1) { writer, reserve in
            let done = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<40 { group.addTask { await Self.commit(Self.batch, to: writer, isFreeing: true) == nil } }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(done == 40)
            #expect(reserve.pieces == 0)
            let rows = try self.rows(writer)
            #expect(rows == 40)
        }
    }
}
