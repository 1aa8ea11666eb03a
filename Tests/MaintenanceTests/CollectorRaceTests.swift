import ArtifactModel
import BlobStores
import BlockingWork
import FormatAPI
import FormatTestKit
import Foundation
import Maintenance
import NIOCore
import RepositoryEngine
import SQLiteDriver
import StorageAPI
import Testing

/// Each order that matters, forced. What is there is asked of the store itself, as the engine remembers small bytes.
@Suite("The collector and those who write and read meanwhile", .timeLimit(.minutes(2))) struct CollectorRaceTests {
    private let path = AssetPath(checked: "file")
    private let plans: [TestSite.Plan] = [.init("one"), .init("two")]

    private func collect(_ site: TestSite) async throws -> Int {
        try await Collector(site.shelf, ledger: site.metadata, now: { site.clock.now }).run().blobs
    }

    private func stage(_ text: String, in site: TestSite) async throws -> StagedBlob {
        try await site.content(of: "one").stage(.chunks([ByteBuffer(string: text)]), StageDemand())
    }

    private func link(_ blob: StagedBlob, _ site: TestSite) async throws {
        try await site.content(of: "one").commit(Edit([.putAsset(NewAsset(self.path, blob, contentType: "x/y"), .always)]))
    }

    /// What the store has under this name; nil: nothing.
    private func stored(_ digest: ContentDigest, _ site: TestSite) async throws -> String? {
        guard let source = try await site.blobs.open(digest) else { return nil }
        return String(buffer: try await source.whole())
    }

    private func digest(of blob: StagedBlob) throws -> ContentDigest { try #require(blob.digests.first) }

    private func site(interruptedBeforeMarks interruption: Interruption) async throws -> TestSite {
        let database = try await SQLiteDatabase.open(.memory, on: ThreadPool(threads: 2))
        return try await TestSite.make(
            SilentFormat(), site: NoSettings(), self.plans, database: InterruptedDatabase(database: database, interruption: interruption))
    }

    // MARK: The writer is first

    @Test("a writer between its hold and its rename keeps its digest from the collector", arguments: [false, true])
    func sealing(_ wasThere: Bool) async throws {
        let interruption = Interruption()
        let site = try await TestSite.make(SilentFormat(), site: NoSettings(), self.plans, blobs: InterruptedSeals(interruption: interruption))
        if wasThere { _ = try await self.stage("text", in: site) }
        site.clock.advance(by: .seconds(3601))
        interruption.arm {
            let freed = try await self.collect(site)
            #expect(freed == 0)
        }
        let blob = try await self.stage("text", in: site)
        #expect(interruption.isOver)
        try await self.link(blob, site)
        site.clock.advance(by: .seconds(3601))
        #expect(try await self.collect(site) == 0)
        #expect(try await self.stored(try self.digest(of: blob), site) == "text")
    }

    @Test("a hold that comes after the collector's look and before its mark keeps the bytes")
    func heldMeanwhile() async throws {
        let interruption = Interruption()
        let site = try await self.site(interruptedBeforeMarks: interruption)
        let digest = try self.digest(of: try await self.stage("text", in: site))
        site.clock.advance(by: .seconds(3601))
        interruption.arm { _ = try await self.stage("text", in: site) }
        #expect(try await self.collect(site) == 0)
        #expect(interruption.isOver)
        #expect(try await self.stored(digest, site) == "text")
        site.clock.advance(by: .seconds(3601))
        #expect(try await self.collect(site) == 1)
        #expect(try await self.stored(digest, site) == nil)
    }

    @Test("a link that comes after the collector's look and before its mark keeps the bytes, though their hold is over")
    func linkedMeanwhile() async throws {
        let interruption = Interruption()
        let site = try await self.site(interruptedBeforeMarks: interruption)
        let blob = try await self.stage("text", in: site)
        site.clock.advance(by: .seconds(3601))
        interruption.arm { try await self.link(blob, site) }
        #expect(try await self.collect(site) == 0)
        #expect(interruption.isOver)
        #expect(try await self.stored(try self.digest(of: blob), site) == "text")
    }

    // MARK: The collector is first

    @Test("while an unlink hangs, a writer of the same digest waits, and has bytes of its own after it")
    func hangingUnlink() async throws {
        let store = GatedStore()
        let answers = HoldAnswers()
        let site = try await TestSite.make(
            SilentFormat(), site: NoSettings(), self.plans, blobs: store, holding: { WatchedLedger(ledger: $0, answers: answers) })
        let digest = try self.digest(of: try await self.stage("text", in: site))
        #expect(await answers.next() == true)
        // What is under that name now can be told from what the writer brings.
        let old = try await store.create()
        try await old.write([ByteBuffer(string: "old!")], at: 0)
        try await store.seal(old.id, as: digest, length: 4, .durable)
        site.clock.advance(by: .seconds(3601))
        async let freed = self.collect(site)
        await store.reachedDelete()
        async let staged = self.stage("text", in: site)
        #expect(await answers.next() == false)
        #expect(try await self.stored(digest, site) == "old!")
        store.open()
        #expect(try await freed == 1)
        try await self.link(try await staged, site)
        #expect(try await self.stored(digest, site) == "text")
        site.clock.advance(by: .seconds(3601))
        #expect(try await self.collect(site) == 0)
    }

    // MARK: A mount and the removal of what it mounts

    private func mounted(interruption: Interruption) async throws -> (TestSite, ContentDigest) {
        let site = try await TestSite.make(
            SilentFormat(), site: NoSettings(), self.plans, decorate: { InterruptedMetadata(store: $0, interruption: interruption) })
        let blob = try await self.stage("text", in: site)
        try await self.link(blob, site)
        site.clock.advance(by: .seconds(3601))
        return (site, try self.digest(of: blob))
    }

    private func mount(_ site: TestSite) async throws {
        let content = try site.content(of: "two")
        try await content.commit(Edit([.link(self.path, from: try RepositoryName("one"), self.path)]))
    }

    private func remove(_ site: TestSite) async throws { try await site.content(of: "one").commit(Edit([.removeAsset(self.path)])) }

    @Test("a mount that is just before the removal of the last other reference keeps the bytes")
    func mountFirst() async throws {
        let interruption = Interruption()
        let (site, digest) = try await self.mounted(interruption: interruption)
        interruption.arm { try await self.mount(site) }
        try await self.remove(site)
        #expect(interruption.isOver)
        #expect(try await self.collect(site) == 0)
        #expect(try await self.stored(digest, site) == "text")
        #expect(try await site.content(of: "two").content(ContentRequest(self.path, .immutable)) != nil)
    }

    @Test("a mount that is just behind the removal of the last other reference is refused and links nothing", arguments: [false, true])
    func removalFirst(_ isCollected: Bool) async throws {
        let interruption = Interruption()
        let (site, digest) = try await self.mounted(interruption: interruption)
        interruption.arm {
            try await self.remove(site)
            guard isCollected else { return }
            let freed = try await self.collect(site)
            #expect(freed == 1)
        }
        await #expect(throws: Edit.Refused.link(0)) { try await self.mount(site) }
        #expect(interruption.isOver)
        #expect(try await self.collect(site) == (isCollected ? 0 : 1))
        #expect(try await self.stored(digest, site) == nil)
        #expect(try await site.content(of: "two").content(ContentRequest(self.path, .immutable)) == nil)
    }

    // MARK: A reader

    @Test("a reader that has opened a file reads it whole, though it is collected meanwhile")
    func reader() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("entrepot-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // Best effort: what a test leaves must not hide its own failure.
        defer { try? FileManager.default.removeItem(at: folder) }
        let pool = ThreadPool(threads: 2)
        let files = try await FileBlobStore(root: folder.path, pool: pool)
        let site = try await TestSite.make(SilentFormat(), site: NoSettings(), self.plans, blobs: files, pool: pool)
        // Larger than what the engine remembers.
        let text = String(repeating: "some bytes, ", count: 250_000)
        let blob = try await self.stage(text, in: site)
        try await self.link(blob, site)
        let found = try #require(try await site.content(of: "one").content(ContentRequest(self.path, .immutable)))
        var read = try #require(try await found.source.read(at: 0, limit: 1000, on: pool))
        try await self.remove(site)
        site.clock.advance(by: .seconds(3601))
        #expect(try await self.collect(site) == 1)
        #expect(try await files.open(try self.digest(of: blob)) == nil)
        while var piece = try await found.source.read(at: Int64(read.readableBytes), limit: 1 << 20, on: pool) { read.writeBuffer(&piece) }
        #expect(read == ByteBuffer(string: text))
        try await pool.shutdown()
    }
}
