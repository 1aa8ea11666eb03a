import ArtifactModel
import BlobStores
import BlockingWork
import Crypto
import DockerFormat
import FormatAPI
import FormatTestKit
import Foundation
import HTTPTypes
import Maintenance
import NIOCore
import RepositoryEngine
import SQLMetadata
import SQLiteDriver
import StorageAPI
import Synchronization
import Testing

/// A registry over real files and a real database, each call to them counted by `faults`.
final class World: Sendable {
    let faults: FaultSchedule
    let database: SQLiteDatabase
    let site: TestSite
    let pool: ThreadPool
    /// Uploads that a client has begun and not ended, by what it calls them.
    let sessions = Mutex<[String: String]>([:])

    private init(faults: FaultSchedule, database: SQLiteDatabase, site: TestSite, pool: ThreadPool) {
        self.pool = pool
        self.faults = faults
        self.database = database
        self.site = site
    }

    static func with<Result>(_ pool: ThreadPool, _ body: (World) async throws -> Result) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("entrepot-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // Best effort: what a test leaves must not hide its own failure.
        defer { try? FileManager.default.removeItem(at: folder) }
        let faults = FaultSchedule()
        let database = try await SQLiteDatabase.open(.memory, on: pool)
        let files = try await FileBlobStore(root: folder.path, pool: pool)
        let site = try await TestSite.make(
            OCIFormat(), site: Self.settings, [.init("local", settings: OCISettings())], blobs: FaultyBlobs(store: files, faults: faults),
            database: database, pool: pool, holding: { FaultyLedger(ledger: $0, faults: faults) },
            sessions: { FaultySessions(ledger: $0, faults: faults) }, decorate: { FaultyMetadata(store: $0, faults: faults) })
        let result = try await body(World(faults: faults, database: database, site: site, pool: pool))
        try await database.close()
        return result
    }

    static var settings: OCISiteSettings {
        get throws { OCISiteSettings(defaultRepository: try RepositoryName("local")) }
    }

    // MARK: What clients do

    func ask(_ method: HTTPRequest.Method, _ target: String, _ text: String = "", type: String? = nil) async throws -> TestResponse {
        let body = text.isEmpty ? [] : [ByteBuffer(string: text)]
        return try await self.site.send(TestRequest(method, target, headers: type.map { [.contentType: $0] } ?? [:], body: body))
    }

    /// As clients push layers: begins, or goes on where the server says the bytes end, in two chunks; a session that is gone is begun anew.
    func upload(_ text: String, to image: String) async throws -> TestResponse {
        let bytes = Array(text.utf8)
        var location = self.sessions.withLock { $0[text] }
        var start = 0
        if let session = location {
            let status = try await self.ask(.get, session)
            switch status.status {
            case .noContent:
                let last = try #require(status.headers[.range]?.split(separator: "-").last.flatMap { Int($0) })
                start = last == 0 ? 0 : last + 1
            case .notFound: location = nil
            default: return status
            }
        }
        let session: String
        if let location {
            session = location
        } else {
            let begun = try await self.ask(.post, "/v2/\(image)/blobs/uploads/")
            guard begun.status == .accepted else { return begun }
            session = try #require(begun.headers[.location])
            self.sessions.withLock { $0[text] = session }
        }
        for range in [start..<max(start, bytes.count / 2), max(start, bytes.count / 2)..<bytes.count] where !range.isEmpty {
            let chunk = TestRequest(.patch, session, body: [ByteBuffer(bytes: bytes[range])], declaresLength: false)
            let answer = try await self.site.send(chunk)
            guard answer.status == .accepted else { return answer }
            #expect(answer.headers[.range] == "0-\(range.upperBound - 1)")
        }
        let closed = try await self.ask(.put, "\(session)?digest=\(digest(text))")
        if closed.status == .created { self.sessions.withLock { $0[text] = nil } }
        return closed
    }

    // MARK: What the server does by itself

    func collect() async throws {
        let ledger = FaultyLedger(ledger: self.site.metadata, faults: self.faults)
        _ = try await Collector(self.site.shelf, ledger: ledger, now: { self.site.clock.now }).run()
    }

    func sweepUploads() async throws {
        let ledger = FaultySessions(ledger: self.site.metadata, faults: self.faults)
        _ = try await UploadSweeper(
            book: self.site.uploads, ledger: ledger, repositories: self.site.repositories, shelves: [self.site.shelf], now: { self.site.clock.now }
        ).run()
    }

    func sweepParts() async throws {
        let catalogue = Catalogue(self.site.repositories, formats: [SitedFormat(OCIFormat(), site: try Self.settings)])
        let ledger = FaultyParts(ledger: self.site.metadata, faults: self.faults)
        _ = try await PartSweeper(catalogue, ledger: ledger, metadata: self.site.cached, now: { self.site.clock.now }).run()
    }

    /// Past every lease, session and age, also of files, which go by the system's own clock.
    func age() {
        let real = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        self.site.clock.advance(by: max(.zero, real - self.site.clock.now) + .seconds(90 * 24 * 3600))
    }
}

func digest(_ text: String) -> String { hash(ByteBuffer(string: text)) }
func hash(_ bytes: ByteBuffer) -> String { "sha256:" + ContentDigest.hex(Array(SHA256.hash(data: Array(bytes.readableBytesView)))) }
