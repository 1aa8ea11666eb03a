import ArtifactModel
import FormatAPI
import FormatTestKit
import NIOCore
import RepositoryEngine
import StorageAPI
import Testing

@Suite struct HostedContentTests {
    private let path = AssetPath(checked: "a/b.txt")

    private func site(_ policy: WritePolicy = .allow) async throws -> TestSite {
        try await TestSite.make(DoorFormat(), site: NoSettings(), [.init("one", policy: policy), .init("two")])
    }

    private func put(_ text: String, in content: any RepositoryContent, _ redeploy: Edit.Redeploy = .byPolicy) async throws {
        let blob = try await content.stage(.chunks([ByteBuffer(string: text)]), StageDemand(target: redeploy == .byPolicy ? self.path : nil))
        try await content.commit(Edit([.putAsset(NewAsset(self.path, blob, contentType: "text/plain"), redeploy)]))
    }

    private func text(in content: any RepositoryContent) async throws -> String? {
        guard let found = try await content.content(ContentRequest(self.path, .mutable)) else { return nil }
        return String(buffer: try await found.source.whole())
    }

    @Test("what was committed is read back, replaced, and gone after it is removed")
    func life() async throws {
        let content = try await self.site().content(of: "one")
        #expect(try await self.text(in: content) == nil)
        try await self.put("first", in: content)
        #expect(try await self.text(in: content) == "first")
        try await self.put("second", in: content)
        #expect(try await self.text(in: content) == "second")
        try await content.commit(Edit([.removeAsset(self.path)]))
        #expect(try await self.text(in: content) == nil)
        await #expect(throws: Edit.Refused.missing(0)) { try await content.commit(Edit([.removeAsset(self.path)])) }
    }

    @Test("one repository does not show what another holds")
    func apart() async throws {
        let site = try await self.site()
        try await self.put("mine", in: try site.content(of: "one"))
        #expect(try await self.text(in: try site.content(of: "two")) == nil)
    }

    @Test("bytes that hash to something else are refused, and nothing is kept of them")
    func wrongDigest() async throws {
        let site = try await self.site()
        let content = try site.content(of: "one")
        let wrong = try #require(ContentDigest(.sha256, [UInt8](repeating: 7, count: 32)))
        let error = await #expect(throws: FormatError.self) {
            _ = try await content.stage(.chunks([ByteBuffer(string: "x")]), StageDemand(expecting: [wrong]))
        }
        #expect(error?.code == .digestMismatch)
        #expect(try await site.blobs.list(after: nil, limit: 10).isEmpty)
        #expect(try await site.blobs.uploads(untouchedSince: site.clock.now + .seconds(1)).isEmpty)
    }

    @Test("a body that breaks off leaves nothing")
    func cut() async throws {
        let site = try await self.site()
        let content = try site.content(of: "one")
        let error = await #expect(throws: FormatError.self) {
            _ = try await content.stage(.chunks([ByteBuffer(string: "half")], cut: true), StageDemand())
        }
        #expect(error?.code == .cancelled)
        #expect(try await site.blobs.uploads(untouchedSince: site.clock.now + .seconds(1)).isEmpty)
    }

    @Test("a limit holds for declared and for undeclared lengths", arguments: [true, false])
    func limit(_ declared: Bool) async throws {
        let content = try await self.site().content(of: "one")
        let body = ByteStream.chunks([ByteBuffer(string: "12345"), ByteBuffer(string: "6")], declaresLength: declared)
        let error = await #expect(throws: FormatError.self) { _ = try await content.stage(body, StageDemand(limit: 5)) }
        #expect(error?.code == .tooLarge)
    }

    @Test("many batches arrive whole, in order, with all digests that were asked for")
    func batches() async throws {
        let content = try await self.site().content(of: "one")
        let chunks = (0..<40).map { ByteBuffer(repeating: UInt8($0), count: 100_000) }
        let blob = try await content.stage(.chunks(chunks, declaresLength: false), StageDemand(computing: [.sha1]))
        #expect(blob.size == 4_000_000)
        #expect(blob.digests.map(\.algorithm) == [.sha256, .sha1])
        let whole = try await blob.source.whole()
        #expect(whole == chunks.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) })
    }

    @Test("allowOnce takes equal content again and nothing else")
    func allowOnce() async throws {
        let content = try await self.site(.allowOnce).content(of: "one")
        try await self.put("first", in: content)
        try await self.put("first", in: content)
        await #expect(throws: Edit.Refused.self) { try await self.put("other", in: content) }
        #expect(try await self.text(in: content) == "first")
        try await self.put("exempt", in: content, .always)
    }

    @Test("deny refuses before a byte of the body is read")
    func deny() async throws {
        let content = try await self.site(.deny).content(of: "one")
        let body = ByteStream(length: 5) {
            Issue.record("the body was read")
            return nil
        }
        let error = await #expect(throws: FormatError.self) { _ = try await content.stage(body, StageDemand()) }
        #expect(error?.code == .readOnly)
    }

    @Test("paths that look the same and are spelt in other bytes are two files, also once they are remembered")
    func spelling() async throws {
        let content = try await self.site().content(of: "one")
        let (composed, decomposed) = (AssetPath(checked: "caf\u{E9}"), AssetPath(checked: "cafe\u{301}"))
        #expect(composed != decomposed)
        for (path, text) in [(composed, "one"), (decomposed, "two")] {
            let blob = try await content.stage(.chunks([ByteBuffer(string: text)]), StageDemand())
            try await content.commit(Edit([.putAsset(NewAsset(path, blob, contentType: "x/y"), .always)]))
        }
        for _ in 1...2 {
            for (path, text) in [(composed, "one"), (decomposed, "two")] {
                let found = try #require(try await content.content(ContentRequest(path, .mutable)))
                #expect(String(buffer: try await found.source.whole()) == text)
            }
        }
    }

    @Test("the largest length that can be declared is refused, with and without a quota", arguments: [nil, 100] as [Int64?])
    func hugeLength(_ quota: Int64?) async throws {
        let site = try await TestSite.make(DoorFormat(), site: NoSettings(), [.init("one")], quota: quota)
        let body = ByteStream(length: .max) { throw FormatError(.cancelled, "the client hung up") }
        await #expect(throws: FormatError.self) { _ = try await site.content(of: "one").stage(body, StageDemand()) }
    }

    @Test("what an earlier process has stored counts against the quota from the first upload on, though no start has counted it")
    func quotaBeforeTheFirstCount() async throws {
        let site = try await TestSite.make(DoorFormat(), site: NoSettings(), [.init("one")], quota: 10)
        let digest = try #require(ContentDigest(.sha256, [UInt8](repeating: 7, count: 32)))
        let now = site.clock.now
        #expect(try await site.metadata.hold([digest], size: 8, in: site.shelf.id, now: now, until: now))
        #expect(site.shelf.used == nil)
        let content = try site.content(of: "one")
        let error = await #expect(throws: FormatError.self) { try await self.put("123", in: content) }
        #expect(error?.code == .quotaExceeded)
        try await self.put("12", in: content)
        #expect(site.shelf.used == BlobTotals(count: 2, bytes: 10))
    }

    @Test("what would pass the quota is refused, declared or not, and leaves nothing; deleting makes room once it is collected", arguments: [true, false])
    func quota(_ declared: Bool) async throws {
        let site = try await TestSite.make(DoorFormat(), site: NoSettings(), [.init("one")], quota: 10)
        let content = try site.content(of: "one")
        try await self.put("12345678", in: content)
        let error = await #expect(throws: FormatError.self) {
            _ = try await content.stage(.chunks([ByteBuffer(string: "abc")], declaresLength: declared), StageDemand())
        }
        #expect(error?.code == .quotaExceeded)
        #expect(try await site.blobs.uploads(untouchedSince: site.clock.now + .seconds(1)).isEmpty)
        try await content.commit(Edit([.removeAsset(self.path)]))
        site.clock.advance(by: .seconds(3601))
        let doomed = try await site.metadata.doom(in: site.shelf.id, after: 0, limit: 10, now: site.clock.now)
        try await site.metadata.forget(doomed.blobs.map(\.id))
        try await self.put("abc", in: content)
    }

    @Test("a pointer moves, and the next look-up sees it")
    func pointer() async throws {
        let content = try await self.site().content(of: "one")
        let name = PointerName(package: PackageName(name: "p"), kind: "tag", name: "latest")
        #expect(try await content.resolve(name) == nil)
        for target in ["x", "y"] {
            try await content.commit(Edit([.setPackage(name.package, attributes: "{}"), .point(name, to: target, .byPolicy)]))
            #expect(try await content.resolve(name)?.target == target)
        }
        try await content.commit(Edit([.unpoint(name)]))
        #expect(try await content.resolve(name) == nil)
    }

    @Test("a link shows the bytes of another repository, and one to nowhere is refused as a whole")
    func link() async throws {
        let site = try await self.site()
        try await self.put("shared", in: try site.content(of: "one"))
        let two = try site.content(of: "two")
        let one = try RepositoryName("one")
        try await two.commit(Edit([.link(self.path, from: one, self.path)]))
        #expect(try await self.text(in: two) == "shared")
        await #expect(throws: Edit.Refused.link(0)) {
            try await two.commit(Edit([.link(AssetPath(checked: "c"), from: one, AssetPath(checked: "nowhere"))]))
        }
    }

    @Test("a link whose bytes are gone from the store is a failure and not an absence")
    func lostBytes() async throws {
        let site = try await self.site()
        let content = try site.content(of: "one")
        let blob = try await content.stage(.chunks([ByteBuffer(repeating: 1, count: 70_000)]), StageDemand())
        try await content.commit(Edit([.putAsset(NewAsset(self.path, blob, contentType: "x/y"), .always)]))
        try await site.blobs.delete(try #require(blob.digests.first))
        let error = await #expect(throws: FormatError.self) { _ = try await content.content(ContentRequest(self.path, .mutable)) }
        #expect(error?.code == .internalFailure)
    }
}
