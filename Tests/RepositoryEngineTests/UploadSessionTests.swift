import ArtifactModel
import FormatAPI
import FormatTestKit
import NIOCore
import StorageAPI
import Testing

@testable import RepositoryEngine

@Suite struct UploadSessionTests {
    private func site() async throws -> TestSite { try await TestSite.make(DoorFormat(), site: NoSettings(), [.init("one"), .init("two")]) }

    private func digest(_ text: String, _ algorithm: ContentDigest.Algorithm = .sha256) throws -> ContentDigest {
        var hasher = MultiHasher([algorithm])
        hasher.update([ByteBuffer(string: text)])
        return try #require(hasher.digests().first(algorithm))
    }

    private func body(_ text: String, cut: Bool = false) -> ByteStream { .chunks([ByteBuffer(string: text)], cut: cut, declaresLength: false) }

    @Test("chunks are joined in order and kept under their digest")
    func chunks() async throws {
        let uploads = try await self.site().content(of: "one").uploads(in: "image")
        let session = try await uploads.begin()
        #expect(try await uploads.append(self.body("ab"), to: session, at: nil, exactly: nil) == 2)
        #expect(try await uploads.append(self.body("cd"), to: session, at: 2, exactly: 2) == 4)
        #expect(try await uploads.length(of: session) == 4)
        let blob = try await uploads.finish(session, expecting: try self.digest("abcd"))
        #expect(String(buffer: try await blob.source.whole()) == "abcd")
        #expect(try await uploads.length(of: session) == nil)
    }

    @Test("an empty upload is a blob of no bytes")
    func empty() async throws {
        let uploads = try await self.site().content(of: "one").uploads(in: "image")
        let blob = try await uploads.finish(try await uploads.begin(), expecting: try self.digest(""))
        #expect(blob.size == 0)
    }

    @Test("a replayed or gapped chunk is refused and nothing of it counts", arguments: [0, 1, 3])
    func gaps(_ offset: Int64) async throws {
        let uploads = try await self.site().content(of: "one").uploads(in: "image")
        let session = try await uploads.begin()
        _ = try await uploads.append(self.body("ab"), to: session, at: 0, exactly: nil)
        let error = await #expect(throws: FormatError.self) { _ = try await uploads.append(self.body("xy"), to: session, at: offset, exactly: nil) }
        #expect(error?.code == .wrongRange)
        #expect(try await uploads.length(of: session) == 2)
    }

    @Test("a chunk of another length than it says leaves the session as it was", arguments: ["x", "xyz"])
    func wrongLength(_ chunk: String) async throws {
        let uploads = try await self.site().content(of: "one").uploads(in: "image")
        let session = try await uploads.begin()
        _ = try await uploads.append(self.body("ab"), to: session, at: nil, exactly: nil)
        let error = await #expect(throws: FormatError.self) { _ = try await uploads.append(self.body(chunk), to: session, at: 2, exactly: 2) }
        #expect(error?.code == .invalidRequest)
        #expect(try await uploads.length(of: session) == 2)
        _ = try await uploads.append(self.body("cd"), to: session, at: 2, exactly: 2)
        _ = try await uploads.finish(session, expecting: try self.digest("abcd"))
    }

    @Test("a chunk beyond the quota is told so, with and without its length, and the session stays as it was", arguments: [nil, 8] as [Int64?])
    func quota(_ exactly: Int64?) async throws {
        let site = try await TestSite.make(DoorFormat(), site: NoSettings(), [.init("one")], quota: 5)
        let uploads = try site.content(of: "one").uploads(in: "image")
        let session = try await uploads.begin()
        _ = try await uploads.append(self.body("ab"), to: session, at: nil, exactly: nil)
        let error = await #expect(throws: FormatError.self) { _ = try await uploads.append(self.body("12345678"), to: session, at: 2, exactly: exactly) }
        #expect(error?.code == .quotaExceeded)
        #expect(try await uploads.length(of: session) == 2)
        _ = try await uploads.append(self.body("cd"), to: session, at: 2, exactly: 2)
        _ = try await uploads.finish(session, expecting: try self.digest("abcd"))
    }

    @Test("what came before a cut counts, and the upload goes on from there")
    func resumed() async throws {
        let uploads = try await self.site().content(of: "one").uploads(in: "image")
        let session = try await uploads.begin()
        await #expect(throws: FormatError.self) { _ = try await uploads.append(self.body("abc", cut: true), to: session, at: nil, exactly: nil) }
        #expect(try await uploads.length(of: session) == 3)
        _ = try await uploads.append(self.body("d"), to: session, at: 3, exactly: nil)
        _ = try await uploads.finish(session, expecting: try self.digest("abcd"))
    }

    @Test("where a cut body is to be dropped, the session is as before, and the same body may come again")
    func dropped() async throws {
        let uploads = try await self.site().content(of: "one").uploads(in: "image")
        let session = try await uploads.begin()
        _ = try await uploads.append(self.body("ab"), to: session, at: nil, exactly: nil)
        await #expect(throws: FormatError.self) {
            _ = try await uploads.append(self.body("c", cut: true), to: session, at: nil, exactly: nil, whenCut: .dropped)
        }
        #expect(try await uploads.length(of: session) == 2)
        _ = try await uploads.append(self.body("cd"), to: session, at: nil, exactly: nil, whenCut: .dropped)
        _ = try await uploads.finish(session, expecting: try self.digest("abcd"))
    }

    @Test("a session goes on in another process, which hashes what is there")
    func restarted() async throws {
        let site = try await self.site()
        let first = try site.content(of: "one").uploads(in: "image")
        let session = try await first.begin()
        _ = try await first.append(self.body("ab"), to: session, at: nil, exactly: nil)
        site.uploads.release(try #require(UploadID(session)), nil)
        #expect(try await first.length(of: session) == 2)
        _ = try await first.append(self.body("cd"), to: session, at: 2, exactly: nil)
        _ = try await first.finish(session, expecting: try self.digest("abcd"))
    }

    @Test("a session is unknown in another scope and in another repository")
    func scopes() async throws {
        let site = try await self.site()
        let session = try await site.content(of: "one").uploads(in: "image").begin()
        for other in [try site.content(of: "one").uploads(in: "other"), try site.content(of: "two").uploads(in: "image")] {
            #expect(try await other.length(of: session) == nil)
            let error = await #expect(throws: FormatError.self) { _ = try await other.append(self.body("x"), to: session, at: nil, exactly: nil) }
            #expect(error?.code == .notFound)
        }
    }

    @Test("a wrong digest ends the session and keeps nothing")
    func wrongDigest() async throws {
        let site = try await self.site()
        let uploads = try site.content(of: "one").uploads(in: "image")
        let session = try await uploads.begin()
        _ = try await uploads.append(self.body("ab"), to: session, at: nil, exactly: nil)
        let error = await #expect(throws: FormatError.self) { _ = try await uploads.finish(session, expecting: try self.digest("other")) }
        #expect(error?.code == .digestMismatch)
        #expect(try await uploads.length(of: session) == nil)
        #expect(try await site.blobs.list(after: nil, limit: 1).isEmpty)
    }

    @Test("sha512 is verified by reading what came once more")
    func sha512() async throws {
        let uploads = try await self.site().content(of: "one").uploads(in: "image")
        let session = try await uploads.begin()
        _ = try await uploads.append(self.body("abcd"), to: session, at: nil, exactly: nil)
        let blob = try await uploads.finish(session, expecting: try self.digest("abcd", .sha512))
        #expect(blob.digests.map(\.algorithm) == [.sha256, .sha512])
    }

    @Test("a second writer is told that somebody writes, and a cancelled session is gone")
    func claims() async throws {
        let site = try await self.site()
        let uploads = try site.content(of: "one").uploads(in: "image")
        let session = try await uploads.begin()
        let id = try #require(UploadID(session))
        guard case .some(let progress) = site.uploads.claim(id) else { throw FormatError(.conflict, "taken") }
        let error = await #expect(throws: FormatError.self) { _ = try await uploads.append(self.body("x"), to: session, at: nil, exactly: nil) }
        #expect(error?.code == .conflict)
        site.uploads.release(id, progress)
        try await uploads.cancel(session)
        #expect(try await uploads.length(of: session) == nil)
    }
}
