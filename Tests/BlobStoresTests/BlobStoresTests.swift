import ArtifactModel
import BlobStores
import BlockingWork
import Foundation
import NIOCore
import StorageAPI
import StorageConformance
import Testing

private func withFolder(_ body: (String, ThreadPool) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("entrepot-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let pool = ThreadPool(threads: 4)
    do { try await body(folder.path, pool) } catch {
        try await pool.shutdown()
        throw error
    }
    try await pool.shutdown()
}

@Suite("Blob stores keep the contract")
struct BlobStoreConformanceTests {
    @Test("as files", arguments: BlobStoreConformance.cases)
    func file(_ demand: BlobStoreConformance.Case) async throws {
        try await withFolder { path, pool in try await demand.run(try await FileBlobStore(root: path, pool: pool)) }
    }

    @Test("in memory", arguments: BlobStoreConformance.cases)
    func memory(_ demand: BlobStoreConformance.Case) async throws {
        try await demand.run(MemoryBlobStore(clock: { Timestamp(milliseconds: 1000) }))
    }
}

@Suite("The file store")
struct FileBlobStoreTests {
    private func digest(_ byte: UInt8) throws -> ContentDigest { try #require(ContentDigest(.sha256, Array(repeating: byte, count: 32))) }

    @Test("puts a blob read-only below two folders named by its digest's beginning")
    func layout() async throws {
        try await withFolder { path, pool in
            let store = try await FileBlobStore(root: path, pool: pool)
            let writer = try await store.create()
            try await store.seal(writer.id, as: try self.digest(0xAB), length: 0, .durable)
            let file = "\(path)/sha256/ab/ab/\(String(repeating: "ab", count: 32))"
            let attributes = try FileManager.default.attributesOfItem(atPath: file)
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o444)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(path)/uploads").isEmpty)
        }
    }

    @Test("resumes an upload of an earlier process")
    func reopened() async throws {
        try await withFolder { path, pool in
            let id = try await {
                let writer = try await FileBlobStore(root: path, pool: pool).create()
                try await writer.write([ByteBuffer(string: "abc")], at: 0)
                return writer.id
            }()
            let store = try await FileBlobStore(root: path, pool: pool)
            let writer = try #require(try await store.resume(id))
            #expect(try await writer.length() == 3)
            try await writer.write([ByteBuffer(string: "def")], at: 3)
            try await store.seal(id, as: try self.digest(1), length: 6, .durable)
            #expect(try await store.open(try self.digest(1))?.length == 6)
        }
    }

    @Test("replaces a blob that is there by equal bytes, which heals a damaged one, while its reader goes on")
    func replaced() async throws {
        try await withFolder { path, pool in
            let store = try await FileBlobStore(root: path, pool: pool)
            for length in [2, 3] {
                let writer = try await store.create()
                try await writer.write([ByteBuffer(repeating: 1, count: length)], at: 0)
                try await store.seal(writer.id, as: try self.digest(2), length: Int64(length), .durable)
            }
            #expect(try await store.open(try self.digest(2))?.length == 3)
        }
    }

    @Test("lists no foreign files, and follows no symbolic link")
    func foreign() async throws {
        try await withFolder { path, pool in
            let store = try await FileBlobStore(root: path, pool: pool)
            let folder = "\(path)/sha256/cc/cc"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data().write(to: URL(fileURLWithPath: "\(folder)/notes.txt"))
            let link = "\(folder)/\(String(repeating: "cc", count: 32))"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/etc/hostname")
            await #expect(throws: BlobStoreError.self) { _ = try await store.open(try self.digest(0xCC)) }
            #expect(try await store.list(after: nil, limit: 9).map(\.digest) == [try self.digest(0xCC)])
        }
    }

    @Test("closes a reader's descriptor after the last reader has let it go")
    func closes() async throws {
        try await withFolder { path, pool in
            let store = try await FileBlobStore(root: path, pool: pool)
            do {
                let writer = try await store.create()
                try await writer.write([ByteBuffer(string: "abc")], at: 0)
                try await store.seal(writer.id, as: try self.digest(1), length: 3, .durable)
                let reader = try #require(try await store.open(try self.digest(1)))
                #expect(Self.descriptors(below: path) >= 2)
                #expect(reader.length == 3)
            }
            // They are closed elsewhere, soon after.
            var rounds = 0
            while Self.descriptors(below: path) > 0, rounds < 5000 {
                try await Task.sleep(for: .milliseconds(1))
                rounds += 1
            }
            #expect(Self.descriptors(below: path) == 0)
        }
    }

    /// How many of this process's descriptors are open on files below the folder; deleted ones keep their old name.
    private static func descriptors(below folder: String) -> Int {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return all.count { (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?.hasPrefix(folder) == true }
    }

    @Test("tells the free space in bytes")
    func space() async throws {
        try await withFolder { path, pool in
            let store = try await FileBlobStore(root: path, pool: pool)
            #expect(try #require(try await store.freeSpace()) > 0)
        }
    }

    @Test("is made from its kind's name and parameters; a missing one is said")
    func kinds() async throws {
        try await withFolder { path, pool in
            let kind = try #require(BlobStoreKind.named("file"))
            let clock: WallClock = { Timestamp(milliseconds: 0) }
            _ = try await kind.open(BlobStoreSetting(parameters: ["path": "\(path)/blobs"], pool: pool, clock: clock))
            #expect(FileManager.default.fileExists(atPath: "\(path)/blobs/uploads"))
            await #expect(throws: BlobStoreError.self) { _ = try await kind.open(BlobStoreSetting(parameters: [:], pool: pool, clock: clock)) }
            #expect(BlobStoreKind.named("tape") == nil)
        }
    }
}
