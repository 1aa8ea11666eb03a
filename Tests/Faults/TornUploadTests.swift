import ArtifactModel
import BlobStores
import BlockingWork
import DockerFormat
import FormatTestKit
import Foundation
import HTTPTypes
import Maintenance
import NIOCore
import SQLiteDriver
import StorageAPI
import Testing

/// A registry's folder and database, which one server after another opens.
private struct Disk {
    let root: URL
    let pool: ThreadPool
    let database: SQLiteDatabase

    static func with(_ body: (Disk) async throws -> Void) async throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("entrepot-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        // Best effort: what a test leaves must not hide its own failure.
        defer { try? FileManager.default.removeItem(at: root) }
        let pool = ThreadPool(threads: 2)
        let database = try await SQLiteDatabase.open(.memory, on: pool)
        try await body(Disk(root: root, pool: pool, database: database))
        try await database.close()
        try await pool.shutdown()
    }

    /// Knows nothing but what the disk has.
    func server() async throws -> TestSite {
        let files = try await FileBlobStore(root: self.root.path, pool: self.pool)
        return try await TestSite.make(
            OCIFormat(), site: World.settings, [.init("local", settings: OCISettings())], blobs: files, database: self.database, pool: self.pool)
    }

    private var uploads: URL { self.root.appendingPathComponent("uploads") }

    /// The files of uploads, whole paths.
    func files() throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: self.uploads, includingPropertiesForKeys: nil)
    }

    /// The one upload's file as it is, and as a crash may leave it.
    func tear(_ change: (Data) -> Data?) throws {
        let file = try #require(try self.files().first)
        if let torn = change(try Data(contentsOf: file)) { try torn.write(to: file) } else { try FileManager.default.removeItem(at: file) }
    }

    func orphan() throws { try Data("bytes".utf8).write(to: self.uploads.appendingPathComponent(String(repeating: "0f", count: 16))) }
}

extension TestSite {
    fileprivate func ask(_ method: HTTPRequest.Method, _ target: String, _ text: String = "", range: String? = nil) async throws -> TestResponse {
        let headers: HTTPFields = range.map { [.contentRange: $0] } ?? [:]
        return try await self.send(TestRequest(method, target, headers: headers, body: text.isEmpty ? [] : [ByteBuffer(string: text)]))
    }

    /// A session with these bytes, acknowledged.
    fileprivate func begun(_ text: String) async throws -> String {
        let session = try #require(try await self.ask(.post, "/v2/app/blobs/uploads/").headers[.location])
        let taken = try await self.ask(.patch, session, text)
        #expect(taken.status == .accepted && taken.headers[.range] == "0-\(text.utf8.count - 1)")
        return session
    }

    fileprivate func sweep() async throws -> Int {
        try await UploadSweeper(
            book: self.uploads, ledger: self.metadata, repositories: self.repositories, shelves: [self.shelf], now: { self.clock.now }
        ).run()
    }

    fileprivate func expectNothingKept() async throws { #expect(try await self.blobs.list(after: nil, limit: 9).isEmpty) }
}

@Suite("After a crash, an upload", .timeLimit(.minutes(2))) struct TornUploadTests {
    /// What the file holds where `01234567` was acknowledged.
    private static let torn = ["012", "0123456", "01234567", "0123456789ab"]

    @Test("whose file has another length than was acknowledged tells the true one, and goes on from there", arguments: torn)
    func goesOn(_ left: String) async throws {
        try await Disk.with { disk in
            let session = try await disk.server().begun("01234567")
            try disk.tear { _ in Data(left.utf8) }
            let site = try await disk.server()
            let status = try await site.ask(.get, session)
            #expect(status.status == .noContent && status.headers[.range] == "0-\(left.utf8.count - 1)")
            let length = left.utf8.count
            // Where the client thinks that it is, it is not.
            if length != 8 {
                let gap = try await site.ask(.patch, session, "xy", range: "8-9")
                #expect(gap.status == .rangeNotSatisfiable && gap.headers[.range] == "0-\(length - 1)")
            }
            let rest = "cdef"
            #expect(try await site.ask(.patch, session, rest, range: "\(length)-\(length + 3)").status == .accepted)
            let whole = left + rest
            #expect(try await site.ask(.put, "\(session)?digest=\(digest(whole))").status == .created)
            #expect(try await site.ask(.get, "/v2/app/blobs/\(digest(whole))").text == whole)
            #expect(try disk.files().isEmpty)
        }
    }

    @Test("whose file is empty tells no bytes, and takes all of them again")
    func empty() async throws {
        try await Disk.with { disk in
            let session = try await disk.server().begun("01234567")
            try disk.tear { _ in Data() }
            let site = try await disk.server()
            #expect(try await site.ask(.get, session).headers[.range] == "0-0")
            #expect(try await site.ask(.patch, session, "01234567", range: "0-7").status == .accepted)
            #expect(try await site.ask(.put, "\(session)?digest=\(digest("01234567"))").status == .created)
        }
    }

    @Test("whose bytes are not those that were sent is refused when it is closed, and nothing of it is kept", arguments: torn + ["0123456\u{0}", ""])
    func isRefused(_ left: String) async throws {
        try await Disk.with { disk in
            let session = try await disk.server().begun("01234567")
            try disk.tear { _ in Data(left.utf8) }
            let site = try await disk.server()
            let sent = left == "01234567" ? "something else" : "01234567"
            let closed = try await site.ask(.put, "\(session)?digest=\(digest(sent))")
            #expect(closed.status == .badRequest && closed.text.contains("DIGEST_INVALID"))
            #expect(try await site.ask(.get, session).status == .notFound)
            #expect(try await site.ask(.head, "/v2/app/blobs/\(digest(sent))").status == .notFound)
            try await site.expectNothingKept()
            #expect(try disk.files().isEmpty)
        }
    }

    @Test("whose file is gone is unknown to each request, and its row goes with its time")
    func isMissing() async throws {
        try await Disk.with { disk in
            let session = try await disk.server().begun("01234567")
            try disk.tear { _ in nil }
            let site = try await disk.server()
            let requests: [(HTTPRequest.Method, String, String)] = [
                (.get, session, ""), (.patch, session, "89"), (.put, "\(session)?digest=\(digest("01234567"))", ""),
                (.put, "\(session)?digest=\(digest("01234567"))", "01234567"),
            ]
            for (method, target, body) in requests {
                let answer = try await site.ask(method, target, body)
                #expect(answer.status == .notFound && answer.text.contains("BLOB_UPLOAD_UNKNOWN"), "\(method) \(body): \(answer.status) \(answer.text)")
            }
            try await site.expectNothingKept()
            let name = try #require(session.split(separator: "/").last)
            let id = try #require(UploadID(String(name)))
            #expect(try await site.metadata.upload(id) != nil)
            site.clock.advance(by: .seconds(25 * 3600))
            #expect(try await site.sweep() == 1)
            #expect(try await site.metadata.upload(id) == nil)
        }
    }

    @Test("that has a file and no session is unknown, and its file is swept once nobody wrote to it for a day")
    func isOrphan() async throws {
        try await Disk.with { disk in
            let site = try await disk.server()
            try disk.orphan()
            let answer = try await site.ask(.get, "/v2/app/blobs/uploads/\(String(repeating: "0f", count: 16))")
            #expect(answer.status == .notFound && answer.text.contains("BLOB_UPLOAD_UNKNOWN"))
            // Files go by the system's own clock.
            let real = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
            site.clock.advance(by: real - site.clock.now + .seconds(23 * 3600))
            #expect(try await site.sweep() == 0)
            #expect(try disk.files().count == 1)
            site.clock.advance(by: .seconds(2 * 3600))
            #expect(try await site.sweep() == 1)
            #expect(try disk.files().isEmpty)
        }
    }
}
