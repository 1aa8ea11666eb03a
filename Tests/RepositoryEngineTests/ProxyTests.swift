import ArtifactModel
import BlobStores
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import StorageAPI
import Testing

@testable import RepositoryEngine

/// Pulling through, without sockets: the real engine, store and metadata around an upstream that follows a script.
@Suite struct ProxyTests {
    private static let size = 3_000_000

    private struct Fixture {
        let upstream = ScriptedUpstream(chunk: 60_000)
        let site: TestSite
        let bytes: ByteBuffer
        let digest: ContentDigest
        let path: AssetPath

        init() async throws {
            var numbers = SystemRandomNumberGenerator()
            self.bytes = ByteBuffer(bytes: (0..<ProxyTests.size).map { _ in UInt8.random(in: .min ... .max, using: &numbers) })
            var hasher = MultiHasher([])
            hasher.update([self.bytes])
            self.digest = hasher.digests()[0]
            self.path = try AssetPath(["a", "blob"])
            self.site = try await TestSite.make(SilentFormat(), site: NoSettings(), [.proxy("p", of: self.upstream)])
            self.upstream.put("a/blob", .init(self.bytes, entityTag: "\"v1\""))
        }

        func want(_ change: Mutability = .immutable, digest: Bool = true) -> ContentRequest {
            ContentRequest(self.path, change, upstream: UpstreamResource(.below("a/blob")), expecting: digest ? [self.digest] : [])
        }

        func get(_ delivery: Delivery = .whole, _ want: ContentRequest? = nil) async throws -> Content? {
            try await self.site.content(of: "p", delivery).content(want ?? self.want())
        }

        func read(_ content: Content?, _ range: Range<Int64>? = nil) async throws -> ByteBuffer {
            let source = try #require(content).source
            return try await ProxyTests.read(source, range, pool: self.site)
        }

        /// Until the fill has committed.
        func settled() async throws { try await ProxyTests.until { self.site.fills.count == 0 } }
    }

    /// Bounded; the condition comes true by work that goes on.
    private static func until(_ condition: @Sendable () async throws -> Bool) async throws {
        for _ in 0..<200_000 {
            if try await condition() { return }
            await Task.yield()
        }
        Issue.record("it never came true")
    }

    private static func read(_ source: any ContentSource, _ range: Range<Int64>?, pool: TestSite) async throws -> ByteBuffer {
        var out = ByteBuffer()
        var at = range?.lowerBound ?? 0
        let end = range?.upperBound ?? .max
        while at < end, var piece = try await source.read(at: at, limit: end - at, on: pool.compute) {
            at += Int64(piece.readableBytes)
            out.writeBuffer(&piece)
        }
        return out
    }

    @Test("fifty clients of one cold file cause one request, and each has all of it; then it is kept")
    func oneFetch() async throws {
        let fixture = try await Fixture()
        try await fixture.site.running {
            try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
                for _ in 0..<50 { group.addTask { try await fixture.read(try await fixture.get()) } }
                for try await bytes in group { #expect(bytes == fixture.bytes) }
            }
            try await fixture.settled()
            let again = try await fixture.get()
            #expect(again?.cache?.outcome == .hit)
            #expect(try await fixture.read(again) == fixture.bytes)
        }
        #expect(fixture.upstream.asked.count == 1)
    }

    @Test("bytes come while the rest has not arrived, and a reader that goes does not end the download")
    func whileArriving() async throws {
        let fixture = try await Fixture()
        fixture.upstream.script(.stall(after: 1_000_000))
        try await fixture.site.running {
            let content = try #require(try await fixture.get())
            let first = try #require(try await content.source.read(at: 0, limit: 100_000, on: fixture.site.compute))
            #expect(first == fixture.bytes.getSlice(at: 0, length: first.readableBytes))
            let other = Task { try await fixture.read(try await fixture.get()) }
            other.cancel()
            _ = await other.result
            fixture.upstream.release()
            #expect(try await fixture.read(content) == fixture.bytes)
            try await fixture.settled()
            #expect(try await fixture.get()?.cache?.outcome == .hit)
        }
        #expect(fixture.upstream.asked.count == 1)
    }

    @Test("with nobody left to read, it is fetched to its end")
    func alone() async throws {
        let fixture = try await Fixture()
        fixture.upstream.script(.stall(after: 500_000))
        try await fixture.site.running {
            var content = try await fixture.get()
            #expect(content != nil)
            content = nil
            fixture.upstream.release()
            try await fixture.settled()
            #expect(try await fixture.get()?.cache?.outcome == .hit)
        }
    }

    @Test("wrong bytes never reach their end, and nothing of them is kept")
    func mismatch() async throws {
        let fixture = try await Fixture()
        var wrong = fixture.bytes
        wrong.setInteger(wrong.getInteger(at: 5, as: UInt8.self).map { $0 ^ 1 } ?? 0, at: 5)
        fixture.upstream.put("a/blob", .init(wrong))
        try await fixture.site.running {
            let content = try #require(try await fixture.get())
            var received = 0
            await #expect(throws: FormatError.self) {
                while let piece = try await content.source.read(at: Int64(received), limit: 1 << 20, on: fixture.site.compute) {
                    received += piece.readableBytes
                }
            }
            #expect(received <= Self.size - 65536)
            try await fixture.settled()
        }
        #expect(try await fixture.site.metadata.asset(at: fixture.path, in: fixture.site.repositories[0].id) == nil)
        #expect(try await fixture.site.blobs.list(after: nil, limit: 10).isEmpty)
        #expect(try await fixture.site.blobs.uploads(untouchedSince: fixture.site.clock.now + .seconds(1)).isEmpty)
    }

    @Test("a cut is gone on with by range")
    func resumed() async throws {
        let fixture = try await Fixture()
        fixture.upstream.script(.cut(after: 1_234_567))
        try await fixture.site.running {
            let bytes = try await fixture.read(try await fixture.get())
            #expect(bytes == fixture.bytes)
        }
        #expect(fixture.upstream.asked.map(\.part) == [.whole, .from(1_234_567, to: nil)])
        #expect(fixture.upstream.asked.last?.validators == Validators(entityTag: "\"v1\"", lastModified: ""))
    }

    @Test("another file in the middle of one without a digest cuts the client off, and nothing is kept")
    func changed() async throws {
        let fixture = try await Fixture()
        fixture.upstream.script(.cut(after: 1_000_000))
        try await fixture.site.running {
            let content = try #require(try await fixture.get(.whole, fixture.want(.mutable, digest: false)))
            _ = try await content.source.read(at: 0, limit: 1000, on: fixture.site.compute)
            fixture.upstream.put("a/blob", .init("another", entityTag: "\"v2\""))
            await #expect(throws: FormatError.self) { _ = try await fixture.read(content) }
            try await fixture.settled()
        }
        #expect(try await fixture.site.metadata.asset(at: fixture.path, in: fixture.site.repositories[0].id) == nil)
    }

    @Test("a range of a cold file is answered by its own request, and the whole later fetches what is missing")
    func ranged() async throws {
        let fixture = try await Fixture()
        try await fixture.site.running {
            let range: Range<Int64> = 2_500_000..<2_500_100
            let part = try await fixture.get(.part(.closed(range)))
            #expect(part?.head.size == Int64(Self.size))
            #expect(try await fixture.read(part, range) == fixture.bytes.getSlice(at: 2_500_000, length: 100))
            #expect(fixture.upstream.asked.map(\.part) == [.from(2 << 20, to: 3 << 20)])
            let tail = try await fixture.get(.part(.last(10)))
            #expect(try await fixture.read(tail, Int64(Self.size - 10)..<Int64(Self.size)) == fixture.bytes.getSlice(at: Self.size - 10, length: 10))
            #expect(try await fixture.read(try await fixture.get()) == fixture.bytes)
            try await fixture.settled()
            #expect(try await fixture.get()?.cache?.outcome == .hit)
        }
        #expect(fixture.upstream.asked.count(where: { $0.part == .whole }) == 1)
    }

    @Test("a HEAD of a cold file asks by HEAD and keeps nothing; of one that arrives it asks nothing")
    func head() async throws {
        let fixture = try await Fixture()
        try await fixture.site.running {
            let described = try await fixture.get(.head)
            #expect(described?.head.size == Int64(Self.size) && described?.cache?.outcome == .miss)
            #expect(fixture.upstream.asked.map(\.method) == ["HEAD"])
            fixture.upstream.script(.stall(after: 1000))
            let content = try await fixture.get()
            #expect(try await fixture.get(.head)?.head.size == Int64(Self.size))
            #expect(fixture.upstream.asked.map(\.method) == ["HEAD", "GET"])
            fixture.upstream.release()
            #expect(try await fixture.read(content) == fixture.bytes)
        }
    }

    @Test("what the upstream does not have is absent; trouble is no absence")
    func absence() async throws {
        let fixture = try await Fixture()
        fixture.upstream.put("a/blob", nil)
        try await fixture.site.running {
            let whole = try await fixture.get()
            #expect(whole == nil)
            let described = try await fixture.get(.head)
            #expect(described == nil)
            let asked = fixture.upstream.asked.count
            let again = try await fixture.get()
            #expect(again == nil)
            #expect(fixture.upstream.asked.count == asked, "what is known not to be there is not asked for again")
            fixture.site.clock.advance(by: .seconds(61))
            fixture.upstream.script(.fail(UpstreamError(.trouble(.unreachable), "refused")))
            let error = await #expect(throws: FormatError.self) { _ = try await fixture.get() }
            #expect(error?.code == .upstreamUnreachable)
        }
    }

    @Test("a movable file is asked for again after its age, served stale in trouble, and replaced when it has changed")
    func freshness() async throws {
        let fixture = try await Fixture()
        let want = fixture.want(.mutable, digest: false)
        try await fixture.site.running {
            #expect(try await fixture.read(try await fixture.get(.whole, want)) == fixture.bytes)
            try await fixture.settled()
            #expect(try await fixture.get(.whole, want)?.cache?.outcome == .hit)
            fixture.site.clock.advance(by: .seconds(601))
            #expect(try await fixture.get(.whole, want)?.cache?.outcome == .revalidated)
            fixture.site.clock.advance(by: .seconds(601))
            fixture.upstream.script(.fail(UpstreamError(.trouble(.failed), "503")))
            let stale = try await fixture.get(.whole, want)
            #expect(stale?.cache?.outcome == .stale && stale?.cache?.age == .seconds(601))
            fixture.upstream.put("a/blob", .init("new", entityTag: "\"v2\""))
            #expect(try await fixture.read(try await fixture.get(.whole, want)) == ByteBuffer(string: "new"))
            try await fixture.settled()
            #expect(try await fixture.get(.whole, want)?.cache?.outcome == .hit)
        }
    }

    @Test("bytes that the store holds already are linked where the upstream has them under this name, and not fetched")
    func linked() async throws {
        let fixture = try await Fixture()
        let other = try AssetPath(["b", "blob"])
        try await fixture.site.running {
            _ = try await fixture.read(try await fixture.get())
            try await fixture.settled()
            let want = ContentRequest(other, .immutable, upstream: UpstreamResource(.below("b/blob")), expecting: [fixture.digest])
            #expect(try await fixture.get(.whole, want) == nil, "a name that the upstream does not know may not have them")
            fixture.upstream.put("b/blob", .init(fixture.bytes))
            fixture.site.clock.advance(by: .seconds(61))
            #expect(try await fixture.read(try await fixture.get(.whole, want)) == fixture.bytes)
        }
        #expect(fixture.upstream.asked.count(where: { $0.method == "GET" }) == 1)
    }

    @Test("a pointer is asked for by HEAD, kept for its age, and served stale in trouble")
    func pointers() async throws {
        let fixture = try await Fixture()
        fixture.upstream.put("v2/app/manifests/1", .init("x", headers: ["Docker-Content-Digest": "sha256:aa"]))
        let name = PointerName(package: PackageName(name: "app"), kind: "tag", name: "1")
        let want = PointerRequest(name, upstream: UpstreamResource(.named(root: "v2", name: "app", rest: "manifests/1"))) {
            $0.first { $0.name.canonicalName == "docker-content-digest" }?.value
        }
        let content = try fixture.site.content(of: "p")
        try await fixture.site.running {
            #expect(try await content.resolve(want)?.target == "sha256:aa")
            #expect(try await content.resolve(want)?.cache?.outcome == .hit)
            fixture.site.clock.advance(by: .seconds(601))
            fixture.upstream.script(.fail(UpstreamError(.trouble(.timedOut), "slow")))
            #expect(try await content.resolve(want)?.cache?.outcome == .stale)
            fixture.upstream.put("v2/app/manifests/1", .init("x"))
            #expect(
                try await content.resolve(want)?.target == "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
                "without the header the body is hashed")
            fixture.upstream.put("v2/app/manifests/1", nil)
            fixture.site.clock.advance(by: .seconds(601))
            let gone = try await content.resolve(want)
            #expect(gone == nil)
        }
        #expect(fixture.upstream.asked.map(\.method) == ["HEAD", "HEAD", "HEAD", "GET", "HEAD"])
    }
}
