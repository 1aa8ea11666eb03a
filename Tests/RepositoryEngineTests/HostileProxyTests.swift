import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import Testing

@testable import RepositoryEngine

/// What an attack on a running server found.
@Suite struct HostileProxyTests {
    private let upstream = ScriptedUpstream(chunk: 60_000)

    private func want(_ path: String, _ digest: ContentDigest? = nil) throws -> ContentRequest {
        ContentRequest(
            try AssetPath(path.split(separator: "/").map(String.init)), .immutable, upstream: UpstreamResource(.below(path)),
            expecting: digest.map { [$0] } ?? [])
    }

    private func site() async throws -> TestSite { try await TestSite.make(SilentFormat(), site: NoSettings(), [.proxy("p", of: self.upstream)]) }

    @Test(
        "an Age is a number of seconds up to 2^31, whatever is said",
        arguments: [
            ("0", 0), ("17", 17), ("9223372036854775807", 0), ("9223372036854775", 1 << 31), ("-5", 0), ("1e9", 0), ("", 0),
        ] as [(String, Int64)])
    func age(text: String, seconds: Int64) { #expect(AnswerHead.age([.age: text]) == seconds) }

    @Test("moments stop at the ends of time")
    func time() {
        let late = Timestamp(milliseconds: .max - 5)
        #expect(late + .seconds(1) == Timestamp(milliseconds: .max))
        #expect(Timestamp(milliseconds: .min + 5) - .seconds(1) == Timestamp(milliseconds: .min))
        #expect(late - .seconds(Int64.max) < late)
        #expect((late - Timestamp(milliseconds: -100)).wholeMilliseconds == .max)
    }

    @Test(
        "the last 0 bytes, and bytes beyond all files, are no part of a cold file",
        arguments: [
            Delivery.part(.last(0)), .part(.from(.max - 1)), .part(.closed((1 << 61)..<(1 << 61) + 5)),
        ])
    func nothing(delivery: Delivery) async throws {
        let site = try await self.site()
        self.upstream.put("a/file", .init("hello", entityTag: "\"1\""))
        try await site.running {
            let error = await #expect(throws: FormatError.self) { _ = try await site.content(of: "p", delivery).content(try self.want("a/file")) }
            #expect(error?.code == .wrongRange)
        }
        #expect(self.upstream.asked.isEmpty && site.fills.count == 0)
    }

    @Test("several ranges of a cold file are each fetched, wherever they lie")
    func several() async throws {
        let site = try await self.site()
        let bytes = ByteBuffer(bytes: (0..<9_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
        self.upstream.put("a/file", .init(bytes, entityTag: "\"1\""))
        try await site.running {
            let content = try await site.content(of: "p", .part(.closed(0..<11))).content(try self.want("a/file"))
            let source = try #require(content).source
            for range in [Int64(0)..<11, 5_000_000..<5_000_011, 2_000_000..<2_000_011] {
                let piece = try await source.read(at: range.lowerBound, limit: 11, on: site.compute)
                #expect(piece == bytes.getSlice(at: Int(range.lowerBound), length: 11))
            }
        }
    }

    @Test("an empty file where there should be bytes is never whole")
    func empty() async throws {
        let site = try await self.site()
        self.upstream.put("a/file", .init("", entityTag: "\"1\""))
        var hasher = MultiHasher([])
        hasher.update([ByteBuffer(string: "what it should be")])
        let digest = hasher.digests()[0]
        try await site.running {
            let error = await #expect(throws: FormatError.self) { _ = try await site.content(of: "p").content(try self.want("a/file", digest)) }
            #expect(error?.code == .upstreamFailed)
        }
    }

    @Test("of files that are there in parts, and nobody reads, 256 are kept")
    func idle() async throws {
        let site = try await self.site()
        let bytes = ByteBuffer(repeating: 7, count: 3 << 20)
        try await site.running {
            for number in 0..<300 {
                self.upstream.put("a/\(number)", .init(bytes, entityTag: "\"1\""))
                let content = try await site.content(of: "p", .part(.closed(0..<1))).content(try self.want("a/\(number)"))
                _ = try await #require(content).source.read(at: 0, limit: 1, on: site.compute)
            }
            #expect(site.fills.count <= 290)
        }
    }
}
