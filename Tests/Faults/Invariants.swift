import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import SQLMetadata
import StorageAPI
import Testing

extension World {
    /// What a client sees at each of these addresses.
    func view(_ targets: [String]) async throws -> [String: Seen] {
        var seen: [String: Seen] = [:]
        for target in targets {
            let answer = try await self.ask(.get, target)
            seen[target] = Seen(status: answer.status.code, bytes: answer.status == .ok ? answer.body : ByteBuffer())
            #expect(answer.status == .ok || answer.status == .notFound, "\(target): \(answer.status)")
        }
        return seen
    }

    /// Time passes, and the server cleans up: then nothing is there that nobody names, and all is there that somebody names.
    func expectNothingLostNorLeft(_ note: String) async throws {
        self.age()
        try await self.sweepUploads()
        try await self.collect()
        let rows = try await self.count("SELECT count(*) FROM blobs WHERE state = 0")
        let stored = try await self.site.blobs.list(after: nil, limit: 1000)
        #expect(stored.count == Int(rows), "\(note): files and rows")
        for (digest, size) in stored {
            let source = try #require(try await self.site.blobs.open(digest))
            let bytes = try await source.readAll(size, on: self.pool)
            #expect(hash(bytes) == digest.description, "\(note): \(digest)")
        }
        #expect(try await self.site.blobs.uploads(untouchedSince: self.site.clock.now).isEmpty, "\(note): bytes of uploads")
        for text in Self.litter { #expect(try await self.count(text) == 0, "\(note): \(text)") }
    }

    /// Each counts rows that must not be there.
    private static var litter: [StaticString] {
        [
            "SELECT count(*) FROM blobs WHERE state <> 0", "SELECT count(*) FROM uploads", "SELECT count(*) FROM pragma_foreign_key_check",
            "SELECT count(*) FROM blobs WHERE id NOT IN (SELECT blob_id FROM assets)",
            """
            SELECT count(*) FROM pointers p LEFT JOIN components c ON c.package_id = p.package_id AND c.version = p.target WHERE c.id IS NULL
            """,
            "SELECT count(*) FROM components WHERE id NOT IN (SELECT component_id FROM assets WHERE component_id IS NOT NULL)",
        ]
    }

    private func count(_ text: StaticString) async throws -> Int64 {
        try #require(try await self.database.first(SQLStatement(text)) { $0.integer(0) })
    }
}

struct Seen: Equatable, Sendable {
    var status: Int
    var bytes: ByteBuffer
}
