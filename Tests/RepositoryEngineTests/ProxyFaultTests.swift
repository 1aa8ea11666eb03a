import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import StorageAPI
import Testing

@testable import RepositoryEngine

/// What a proxy makes of an upstream that does wrong.
@Suite struct ProxyFaultTests {
    private static let size = 1_000_000

    private struct Fixture {
        let upstream = ScriptedUpstream(chunk: 50_000)
        let site: TestSite
        let bytes: ByteBuffer
        let path: AssetPath

        init() async throws {
            self.bytes = ByteBuffer(bytes: (0..<ProxyFaultTests.size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) })
            self.path = try AssetPath(["a"])
            self.site = try await TestSite.make(
                SilentFormat(), site: NoSettings(), [TestSite.Plan.proxy("p", of: self.upstream).caching { $0.revalidateDeadline = .seconds(10) }])
            self.upstream.put("a", .init(self.bytes))
        }

        var digest: ContentDigest {
            var hasher = MultiHasher([])
            hasher.update([self.bytes])
            return hasher.digests()[0]
        }

        func want(largest: Int64? = nil, record: ContentRequest.Record? = nil) -> ContentRequest {
            ContentRequest(self.path, .immutable, upstream: UpstreamResource(.below("a")), expecting: [self.digest], largest: largest, record: record)
        }

        func get(_ want: ContentRequest, _ delivery: Delivery = .whole) async throws -> Content? {
            try await self.site.content(of: "p", delivery).content(want)
        }

        /// What comes before the end, or before it breaks.
        func read(_ want: ContentRequest) async throws -> (bytes: ByteBuffer, error: FormatError?) {
            var out = ByteBuffer()
            do {
                let source = try #require(try await self.get(want)).source
                while var piece = try await source.read(at: Int64(out.readableBytes), limit: 1 << 20, on: self.site.compute) { out.writeBuffer(&piece) }
                return (out, nil)
            } catch let error as FormatError {
                return (out, error)
            }
        }

        func settled() async throws {
            for _ in 0..<200_000 where self.site.fills.count > 0 { await Task.yield() }
            #expect(self.site.fills.count == 0)
        }

        func isKept() async throws -> Bool { try await self.site.metadata.asset(at: self.path, in: self.site.repositories[0].id) != nil }
    }

    @Test("where the range of a resumed download is ignored and other bytes come first, what is kept are the bytes that were hashed")
    func overlapping() async throws {
        let fixture = try await Fixture()
        var other = fixture.bytes
        other.setRepeatingByte(0, count: 300_000, at: 0)
        fixture.upstream.script(.cut(after: 400_000), .ignoreRange)
        try await fixture.site.running {
            let content = try #require(try await fixture.get(fixture.want()))
            // The first answer has its bytes.
            fixture.upstream.put("a", .init(other))
            _ = content
            #expect(try await fixture.read(fixture.want()).bytes == fixture.bytes)
            try await fixture.settled()
            let again = try await fixture.get(fixture.want())
            #expect(again?.cache?.outcome == .hit)
            #expect(try await fixture.read(fixture.want()).bytes == fixture.bytes)
        }
    }

    @Test("what the format refuses is refused to readers too, before they have all of it, and is not kept")
    func refused() async throws {
        let fixture = try await Fixture()
        let want = fixture.want { _ in throw FormatError(.invalidRequest, "no manifest") }
        try await fixture.site.running {
            let (bytes, error) = try await fixture.read(want)
            #expect(bytes.readableBytes <= Self.size - 65536)
            #expect(error?.code == .upstreamFailed && error?.message == "no manifest")
            try await fixture.settled()
        }
        #expect(try await !fixture.isKept())
    }

    @Test("what is too large is refused: at once where its length is said, and where it comes to it", arguments: [true, false])
    func tooLarge(_ declares: Bool) async throws {
        let fixture = try await Fixture()
        var file = ScriptedUpstream.File(fixture.bytes)
        file.declaresLength = declares
        fixture.upstream.put("a", file)
        try await fixture.site.running {
            let (bytes, error) = try await fixture.read(fixture.want(largest: 500_000))
            #expect(bytes.readableBytes <= 500_000 && error?.code == .upstreamFailed)
            try await fixture.settled()
            #expect(try await fixture.read(fixture.want(largest: Int64(Self.size))).bytes == fixture.bytes)
        }
    }

    @Test("a range beyond the end of a cold file is no fault of the upstream")
    func beyond() async throws {
        let fixture = try await Fixture()
        fixture.upstream.script(.status(416))
        try await fixture.site.running {
            let error = await #expect(throws: FormatError.self) { _ = try await fixture.get(fixture.want(), .part(.from(5 << 20))) }
            #expect(error?.code == .wrongRange)
            let whole = try await fixture.read(fixture.want())
            #expect(whole.bytes == fixture.bytes)
        }
    }

    @Test("a status that answers no question is trouble, whatever asks", arguments: [206, 304, 416])
    func unasked(_ status: Int) async throws {
        let fixture = try await Fixture()
        try await fixture.site.running {
            fixture.upstream.script(.status(status), .status(status))
            let read = try await fixture.read(fixture.want())
            #expect(read.error?.code == .upstreamFailed)
            try await fixture.settled()
            let error = await #expect(throws: FormatError.self) { _ = try await fixture.get(fixture.want(), .head) }
            #expect(error?.code == .upstreamFailed)
        }
    }

    @Test("a name that leads to something kept moves only when its new target can be had")
    func moves() async throws {
        let fixture = try await Fixture()
        let name = PointerName(package: PackageName(name: "app"), kind: "tag", name: "1")
        let path = fixture.path
        let want = PointerRequest(
            name, upstream: UpstreamResource(.below("tag")), target: { $0.first { $0.name.canonicalName == "docker-content-digest" }?.value },
            content: { target in (try? ContentDigest(target)).map { ContentRequest(path, .immutable, upstream: UpstreamResource(.below("a")), expecting: [$0]) }
            })
        let old = "sha256:" + String(repeating: "a", count: 64)
        fixture.upstream.put("tag", .init("x", headers: ["Docker-Content-Digest": old]))
        try await fixture.site.running {
            let content = try fixture.site.content(of: "p", .head)
            #expect(try await content.resolve(want)?.target == old, "nothing was had before, so that nothing is fetched")
            #expect(fixture.upstream.asked.map(\.address) == ["tag"])
            fixture.site.clock.advance(by: .seconds(601))
            fixture.upstream.put("tag", .init("x", headers: ["Docker-Content-Digest": fixture.digest.description]))
            fixture.upstream.script(.none, .fail(UpstreamError(.trouble(.throttled), "429")))
            let stale = try await content.resolve(want)
            #expect(stale?.target == old && stale?.cache?.outcome == .stale)
            let moved = try await content.resolve(want)
            #expect(moved?.target == fixture.digest.description && moved?.cache?.outcome == .miss)
            try await fixture.settled()
        }
        #expect(try await fixture.isKept())
    }

    private static func head(_ status: Int, _ fields: HTTPFields, length: Int64?) throws -> AnswerHead {
        try AnswerHead(
            UpstreamAnswer(status: .init(code: status), headers: fields, body: ByteStream(length: length) { nil }), for: UpstreamResource(.below("a")))
    }

    @Test(
        "an entity tag is taken where it is one",
        arguments: [
            ("\"a\"", true), ("W/\"a\"", true), ("\"\"", true), ("\"a b\"", false), ("a", false), ("", false), ("\"a", false), ("\"a\"b\"", false),
            ("\"a\", \"b\"", false), ("w/\"a\"", false), ("\"" + String(repeating: "x", count: 1100) + "\"", false), ("\"é\"", false),
        ])
    func tags(_ text: String, _ isTaken: Bool) throws { #expect(try Self.head(200, [.eTag: text], length: 1).entityTag == (isTaken ? text : "")) }

    @Test(
        "a type is taken where it is one",
        arguments: [
            ("text/plain", true), ("text/html; charset=\"utf-8\"", true), ("application/vnd.oci.image.manifest.v1+json", true), ("text", false), ("/", false),
            ("text/", false), ("<script>/x", false), ("a/b/c", false), ("téxt/plain", false), ("a/" + String(repeating: "x", count: 300), false),
        ])
    func types(_ text: String, _ isTaken: Bool) throws { #expect(try Self.head(200, [.contentType: text], length: 1).contentType == (isTaken ? text : "")) }

    @Test("a date is taken where it is one, and a range where it is as long as it says")
    func others() throws {
        #expect(try Self.head(200, [.lastModified: "Mon, 02 Nov 2026 10:00:00 GMT"], length: 1).validator == "Mon, 02 Nov 2026 10:00:00 GMT")
        #expect(try Self.head(200, [.lastModified: "yesterday"], length: 1).validator == nil)
        #expect(try Self.head(206, [.contentRange: "bytes 5-9/20"], length: 5).length == 20)
        #expect(try Self.head(206, [.contentRange: "bytes 5-9/20"], length: nil).from == 5)
        #expect(throws: UpstreamError.self) { try Self.head(206, [.contentRange: "bytes 5-9/20"], length: 15) }
        for status in [304, 416, 302] { #expect(throws: UpstreamError.self) { try Self.head(status, [:], length: nil) } }
    }
}
