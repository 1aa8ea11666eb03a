import ArtifactModel
import FormatAPI
import FormatTestKit
import Maintenance
import NIOCore
import StorageAPI
import Testing

@Suite struct UploadSweeperTests {
    private func sweeper(_ site: TestSite, born: Timestamp? = nil) -> UploadSweeper {
        UploadSweeper(
            book: site.uploads, ledger: site.metadata, repositories: site.repositories, shelves: [site.shelf], born: born, now: { site.clock.now })
    }

    @Test("a session that was left is gone after its time, with its bytes, and one in use stays")
    func expired() async throws {
        let site = try await TestSite.make(SilentFormat(), site: NoSettings(), [.init("one")])
        let uploads = try site.content(of: "one").uploads(in: "image")
        let left = try await uploads.begin()
        site.clock.advance(by: .seconds(23 * 3600))
        let fresh = try await uploads.begin()
        #expect(try await self.sweeper(site).run() == 0)
        site.clock.advance(by: .seconds(2 * 3600))
        #expect(try await self.sweeper(site).run() == 1)
        #expect(try await uploads.length(of: left) == nil)
        #expect(try await uploads.length(of: fresh) == 0)
    }

    @Test("a session that is written to lives on")
    func touched() async throws {
        let site = try await TestSite.make(SilentFormat(), site: NoSettings(), [.init("one")])
        let uploads = try site.content(of: "one").uploads(in: "image")
        let session = try await uploads.begin()
        for hour in 1...4 {
            site.clock.advance(by: .seconds(13 * 3600))
            _ = try await uploads.append(.chunks([ByteBuffer(string: "x")]), to: session, at: nil, exactly: nil)
            #expect(try await self.sweeper(site).run() == 0)
            #expect(try await uploads.length(of: session) == Int64(hour))
        }
    }

    @Test("bytes that no session knows are removed once nobody wrote to them for a day")
    func orphans() async throws {
        let site = try await TestSite.make(SilentFormat(), site: NoSettings(), [.init("one")])
        _ = try await site.blobs.create()
        #expect(try await self.sweeper(site).run() == 0)
        site.clock.advance(by: .seconds(25 * 3600))
        #expect(try await self.sweeper(site).run() == 1)
    }

    @Test("what a dead process was receiving goes at the next start; sessions, and what the new one receives, stay")
    func leftByTheDead() async throws {
        let site = try await TestSite.make(SilentFormat(), site: NoSettings(), [.init("one")])
        let session = try await site.content(of: "one").uploads(in: "image").begin()
        _ = try await site.blobs.create()
        site.clock.advance(by: .seconds(5))
        let born = site.clock.now
        _ = try await site.blobs.create()
        #expect(try await self.sweeper(site, born: born).run() == 1)
        #expect(try await self.sweeper(site, born: born).run() == 0)
        #expect(try await site.content(of: "one").uploads(in: "image").length(of: session) == 0)
    }
}
