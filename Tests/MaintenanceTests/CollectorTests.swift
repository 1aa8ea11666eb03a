import ArtifactModel
import FormatAPI
import FormatTestKit
import Maintenance
import NIOCore
import RepositoryEngine
import StorageAPI
import Testing

@Suite struct CollectorTests {
    private let path = AssetPath(checked: "file")

    private func site() async throws -> TestSite { try await TestSite.make(SilentFormat(), site: NoSettings(), [.init("one"), .init("two")]) }

    private func collector(_ site: TestSite) -> Collector { Collector(site.shelf, ledger: site.metadata, now: { site.clock.now }) }

    private func stage(_ text: String, in content: any RepositoryContent) async throws -> StagedBlob {
        try await content.stage(.chunks([ByteBuffer(string: text)]), StageDemand())
    }

    private func blobs(_ site: TestSite) async throws -> Int { try await site.blobs.list(after: nil, limit: 100).count }

    @Test("bytes that were staged and never linked go once their hold is over, and not before")
    func unlinked() async throws {
        let site = try await self.site()
        _ = try await self.stage("text", in: try site.content(of: "one"))
        #expect(try await self.collector(site).run() == Collector.Freed())
        site.clock.advance(by: .seconds(3601))
        let freed = try await self.collector(site).run()
        #expect((freed.blobs, freed.bytes) == (1, 4))
        #expect(try await self.blobs(site) == 0)
    }

    @Test("linked bytes stay, whatever their age, until the last link is gone")
    func linked() async throws {
        let site = try await self.site()
        for name in ["one", "two"] {
            let content = try site.content(of: name)
            let blob = try await self.stage("text", in: content)
            try await content.commit(Edit([.putAsset(NewAsset(self.path, blob, contentType: "x/y"), .always)]))
        }
        site.clock.advance(by: .seconds(7200))
        try await site.content(of: "one").commit(Edit([.removeAsset(self.path)]))
        #expect(try await self.collector(site).run().blobs == 0)
        try await site.content(of: "two").commit(Edit([.removeAsset(self.path)]))
        #expect(try await self.collector(site).run().blobs == 1)
        #expect(try await self.blobs(site) == 0)
    }

    @Test("bytes that come again after their removal are there again")
    func again() async throws {
        let site = try await self.site()
        let content = try site.content(of: "one")
        _ = try await self.stage("text", in: content)
        site.clock.advance(by: .seconds(3601))
        _ = try await self.collector(site).run()
        let blob = try await self.stage("text", in: content)
        try await content.commit(Edit([.putAsset(NewAsset(self.path, blob, contentType: "x/y"), .always)]))
        let found = try #require(try await content.content(ContentRequest(self.path, .immutable)))
        #expect(String(buffer: try await found.source.whole()) == "text")
    }

    @Test("a commit whose hold ran out and whose bytes were collected is refused, and links nothing")
    func late() async throws {
        let site = try await self.site()
        let content = try site.content(of: "one")
        let blob = try await self.stage("text", in: content)
        site.clock.advance(by: .seconds(3601))
        _ = try await self.collector(site).run()
        await #expect(throws: MetadataError.self) {
            try await content.commit(Edit([.putAsset(NewAsset(self.path, blob, contentType: "x/y"), .always)]))
        }
        #expect(try await content.content(ContentRequest(self.path, .immutable)) == nil)
    }

    @Test("a writer that meets a marked blob waits until the collector is through, and then stores the bytes anew")
    func race() async throws {
        let answers = HoldAnswers()
        let site = try await TestSite.make(
            SilentFormat(), site: NoSettings(), [.init("one")], holding: { WatchedLedger(ledger: $0, answers: answers) })
        let content = try site.content(of: "one")
        let digest = try #require(try await self.stage("text", in: content).digests.first)
        site.clock.advance(by: .seconds(3601))
        let slice = try await site.metadata.doom(in: site.shelf.id, after: 0, limit: 10, now: site.clock.now)
        #expect(slice.blobs.map(\.digest) == [digest])
        async let staged = self.stage("text", in: content)
        // The writer has met the mark by now.
        await answers.firstRefusal()
        try await site.blobs.delete(digest)
        try await site.metadata.forget(slice.blobs.map(\.id))
        #expect(try await staged.digests.first == digest)
        #expect(try await self.blobs(site) == 1)
    }

    @Test("a second collection waits for the first, and takes nothing that has come back since")
    func twoCollectors() async throws {
        let store = GatedStore()
        let site = try await TestSite.make(SilentFormat(), site: NoSettings(), [.init("one")], blobs: store)
        let content = try site.content(of: "one")
        _ = try await self.stage("text", in: content)
        site.clock.advance(by: .seconds(3601))
        try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask { try await self.collector(site).run().blobs }
            await store.reachedDelete()
            group.addTask { try await self.collector(site).run().blobs }
            store.open()
            let freed = try await group.reduce(0, +)
            #expect(freed == 1)
        }
        let blob = try await self.stage("text", in: content)
        try await content.commit(Edit([.putAsset(NewAsset(self.path, blob, contentType: "x/y"), .always)]))
        #expect(try await content.content(ContentRequest(self.path, .immutable)) != nil)
    }

    @Test("one blob that cannot be removed is told, keeps no other, and goes once it can")
    func stubborn() async throws {
        let store = GatedStore()
        store.open()
        let site = try await TestSite.make(SilentFormat(), site: NoSettings(), [.init("one")], blobs: store)
        let content = try site.content(of: "one")
        let digest = try #require(try await self.stage("stays", in: content).digests.first)
        for text in ["goes", "goes too"] { _ = try await self.stage(text, in: content) }
        store.refuse(digest)
        site.clock.advance(by: .seconds(3601))
        for _ in 1...2 { await #expect(throws: BlobStoreError.self) { _ = try await self.collector(site).run() } }
        #expect(try await self.blobs(site) == 1)
        store.refuse(nil)
        #expect(try await self.collector(site).run().blobs == 1)
        #expect(try await self.blobs(site) == 0)
    }

    @Test("blobs that a dead process had marked are removed by the next run")
    func leftover() async throws {
        let site = try await self.site()
        _ = try await self.stage("text", in: try site.content(of: "one"))
        site.clock.advance(by: .seconds(3601))
        _ = try await site.metadata.doom(in: site.shelf.id, after: 0, limit: 10, now: site.clock.now)
        #expect(try await self.collector(site).run().blobs == 1)
        #expect(try await self.blobs(site) == 0)
    }

    @Test("many slices free everything that is to be freed and nothing else")
    func slices() async throws {
        let site = try await self.site()
        let content = try site.content(of: "one")
        for number in 0..<1100 {
            let blob = try await self.stage("\(number)", in: content)
            guard number.isMultiple(of: 11) else { continue }
            try await content.commit(Edit([.putAsset(NewAsset(AssetPath(checked: "\(number)"), blob, contentType: "x/y"), .always)]))
        }
        site.clock.advance(by: .seconds(3601))
        #expect(try await self.collector(site).run().blobs == 1000)
        #expect(try await site.blobs.list(after: nil, limit: 2000).count == 100)
    }
}
