import ArtifactModel
import BlockingWork
import Foundation
import SQLMetadata
import SQLiteDriver
import StorageAPI
import StorageConformance

/// Where a test's database is; the file's folder is gone after it.
enum Place: String, CaseIterable, Sendable { case memory, file }

func withDatabase(_ place: Place, _ body: (SQLiteDatabase) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("entrepot-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let pool = ThreadPool(threads: 2)
    let location: SQLiteLocation = place == .memory ? .memory : .file(folder.appendingPathComponent("test.sqlite").path)
    do {
        let database = try await SQLiteDatabase.open(location, on: pool)
        try await body(database)
        try await database.close()
    } catch {
        try await pool.shutdown()
        throw error
    }
    try await pool.shutdown()
}

func metadata(_ database: any SQLDatabase) async throws -> SQLMetadataStore {
    try await SQLMetadataStore.open(database, program: "test", now: Timestamp(milliseconds: 1))
}
