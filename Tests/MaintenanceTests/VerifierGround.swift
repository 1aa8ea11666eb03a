import ArtifactModel
import BlobStores
import BlockingWork
import FormatAPI
import FormatTestKit
import Foundation
import Maintenance
import NIOCore
import RepositoryEngine
import StorageAPI
import Testing

/// Two repositories over a real file store, beside a second store that holds nothing, in a folder of their own.
struct VerifierGround {
    let folder: URL
    let site: TestSite
    let second: BlobShelf

    static func run(_ body: (VerifierGround) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "entrepot-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let pool = ThreadPool(threads: 4)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(try await VerifierGround(folder, pool)))
        } catch {
            outcome = .failure(error)
        }
        try await pool.shutdown()
        try outcome.get()
    }

    private init(_ folder: URL, _ pool: ThreadPool) async throws {
        self.folder = folder
        let store = try await FileBlobStore(root: folder.appending(path: "one").path, pool: pool)
        let site = try await TestSite.make(SilentFormat(), site: NoSettings(), [.init("one"), .init("two")], blobs: store)
        self.site = site
        let number = try #require(try await site.metadata.adopt(stores: ["default", "second"], now: site.clock.now)["second"])
        let other = try await FileBlobStore(root: folder.appending(path: "two").path, pool: pool)
        self.second = BlobShelf(name: "second", id: number, store: other, ledger: site.metadata, now: { site.clock.now })
    }

    var collector: Collector { Collector(self.site.shelf, ledger: self.site.metadata, now: { self.site.clock.now }) }

    func verify(
        repair: Bool = false, quick: Bool = false, store: String? = nil, progress: @escaping @Sendable (Verifier.Progress) async -> Void = { _ in }
    ) async throws -> VerificationReport {
        var options = Verifier.Options()
        options.repair = repair
        options.quick = quick
        options.store = store
        let verifier = Verifier(
            [self.site.shelf, self.second], ledger: self.site.metadata, compute: self.site.compute, now: { self.site.clock.now }, forget: self.site.forget)
        return try await verifier.run(options, progress: progress)
    }

    func file(_ digest: ContentDigest) -> URL {
        self.folder.appending(path: "one/sha256/\(digest.hex.prefix(2))/\(digest.hex.dropFirst(2).prefix(2))/\(digest.hex)")
    }

    /// Replaces a blob's bytes behind the server's back.
    func overwrite(_ digest: ContentDigest, _ change: (inout Data) -> Void) throws {
        var bytes = try Data(contentsOf: self.file(digest))
        change(&bytes)
        try FileManager.default.removeItem(at: self.file(digest))
        try bytes.write(to: self.file(digest))
    }

    /// Staged and linked.
    @discardableResult
    func put(_ text: String, at path: String, in repository: String = "one") async throws -> ContentDigest {
        let content = try self.site.content(of: repository)
        let blob = try await content.stage(.chunks([ByteBuffer(string: text)]), StageDemand())
        try await content.commit(Edit([.putAsset(NewAsset(AssetPath(checked: path), blob, contentType: "x/y"), .always)]))
        return try #require(blob.digests.first)
    }

    func remove(_ path: String, from repository: String = "one") async throws {
        try await self.site.content(of: repository).commit(Edit([.removeAsset(AssetPath(checked: path))]))
    }

    /// Bytes that came to a store without its metadata.
    func drop(_ text: String, as digest: ContentDigest, into store: any BlobStore) async throws {
        let writer = try await store.create()
        try await writer.write([ByteBuffer(string: text)], at: 0)
        try await store.seal(writer.id, as: digest, length: Int64(text.utf8.count), .durable)
    }

    /// What a client reads; nil: it is told that there is nothing.
    func read(_ path: String, in repository: String = "one") async throws -> String? {
        let found = try await self.site.content(of: repository).content(ContentRequest(AssetPath(checked: path), .immutable))
        guard let found else { return nil }
        return String(buffer: try await found.source.whole())
    }

    func row(_ digest: ContentDigest) async throws -> BlobRow? { try await self.site.metadata.blob(digest, in: self.site.shelf.id) }
}
