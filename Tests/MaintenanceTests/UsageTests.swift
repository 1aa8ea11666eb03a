import AccessControl
import ArtifactModel
import FormatAPI
import FormatTestKit
import Logging
import Maintenance
import NIOCore
import RepositoryEngine
import ServiceLifecycle
import StorageAPI
import Synchronization
import Testing

/// Remembers what it was told.
private final class Notes: UsageLedger {
    private let uses = Mutex<[AssetUse]>([])
    var all: [AssetUse] { self.uses.withLock { $0 } }
    func note(_ uses: [AssetUse]) async throws(MetadataError) { self.uses.withLock { $0 += uses } }
}

@Suite("What is used") struct UsageTests {
    private func site() async throws -> (site: TestSite, path: AssetPath) {
        let site = try await TestSite.make(SilentFormat(), site: NoSettings(), [.init("files")])
        let content = try site.content(of: "files")
        let blob = try await content.stage(.chunks([ByteBuffer(string: "bytes")]), StageDemand())
        let path = AssetPath(checked: "a")
        try await content.commit(Edit([.putAsset(NewAsset(path, blob, contentType: "x/y"), .always)]))
        return (site, path)
    }

    @Test("is written once an hour for each file, with all that came meanwhile, and a HEAD is a use and no download")
    func folded() async throws {
        let (site, path) = try await self.site()
        let (book, notes) = (site.contents.usages, Notes())
        func use(_ delivery: Delivery = .whole) async throws { _ = try await site.content(of: "files", delivery).content(ContentRequest(path, .immutable)) }
        let began = site.clock.now
        for _ in 0..<3 { try await use() }
        try await book.flush(to: notes, now: site.clock.now)
        try await book.flush(to: notes, now: site.clock.now)
        #expect(notes.all.map(\.downloads) == [3])
        site.clock.advance(by: .seconds(1800))
        try await use()
        try await use(.head)
        let last = site.clock.now
        try await book.flush(to: notes, now: site.clock.now)
        #expect(notes.all.count == 1)
        site.clock.advance(by: .seconds(1800))
        try await book.flush(to: notes, now: site.clock.now)
        #expect(notes.all.map(\.downloads) == [3, 1] && notes.all.map(\.lastUsed) == [began, last])
        try await use(.head)
        try await book.flush(to: notes, now: site.clock.now, everything: true)
        #expect(notes.all.map(\.downloads) == [3, 1, 0])
    }

    @Test("is written when the server ends")
    func drained() async throws {
        let (site, path) = try await self.site()
        _ = try await site.content(of: "files").content(ContentRequest(path, .immutable))
        let notes = Notes()
        let service = UsageService(site.contents.usages, ledger: notes, now: { site.clock.now }, logger: Logger(label: "test"))
        let group = ServiceGroup(services: [service], logger: Logger(label: "test"))
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { do { try await group.run() } catch { Issue.record(error) } }
            await group.triggerGracefulShutdown()
        }
        #expect(notes.all.map(\.path) == [path])
    }

    @Test("is known of no more files than fit, and what is written makes room")
    func bounded() async throws {
        let (site, _) = try await self.site()
        let content = try site.content(of: "files")
        let blob = try await content.stage(.chunks([ByteBuffer(string: "bytes")]), StageDemand())
        let paths = (0..<30).map { AssetPath(checked: "f/\($0)") }
        try await content.commit(Edit(paths.map { .putAsset(NewAsset($0, blob, contentType: "x/y"), .always) }))
        let book = UsageBook(capacity: 20)
        let contents = ContentMaker(
            metadata: site.cached, uploads: site.uploads, fills: site.fills, compute: site.compute, now: { site.clock.now }, usages: book,
            documents: Documents(scratch: ScratchFolder("/tmp")))
        let reading = contents.content(of: site.repositories[0], for: .anonymous(), request: "test", in: site.catalogue, OpenAccess())
        let notes = Notes()
        for path in paths { _ = try await reading.content(ContentRequest(path, .immutable)) }
        try await book.flush(to: notes, now: site.clock.now)
        #expect(notes.all.count == 20)
        for path in paths.suffix(10) { _ = try await reading.content(ContentRequest(path, .immutable)) }
        try await book.flush(to: notes, now: site.clock.now)
        #expect(Set(notes.all.map(\.path)) == Set(paths))
    }
}
