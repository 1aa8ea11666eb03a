import ArtifactModel
import BlockingWork
import Compression
import FormatAPI
import Foundation
import NIOCore
import Synchronization
import Testing

@testable import RepositoryEngine

@Suite("Rendering documents")
struct RenderingTests {
    /// Bytes that follow from their place; remembers how much was asked for at once.
    private final class Endless: ContentSource {
        let largest = Mutex<Int64>(0)
        let reads = Mutex(0)
        var length: Int64? { 64 << 20 }
        func next(at offset: Int64, limit: Int64) async throws -> ContentPiece? {
            self.largest.withLock { $0 = max($0, limit) }
            self.reads.withLock { $0 += 1 }
            return .bytes(ByteBuffer(bytes: (0..<limit).map { Self.byte(offset + $0) }))
        }
        static func byte(_ place: Int64) -> UInt8 { UInt8(truncatingIfNeeded: place &* 2_654_435_761 >> 16) }
    }

    private static func folder(_ body: (String) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "renderings-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // Its own folder, which nobody else looks into.
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    @Test("a document of 40 MB out of two sources is read and written by pieces of a quarter of a megabyte, in few reads, and is right; no file stays")
    func large() async throws {
        let pool = ThreadPool(threads: 2)
        let sources = [Endless(), Endless()]
        var plan = DocumentPlan()
        var expected = MultiHasher([])
        let count: Int64 = 10_000
        for number in 0..<count {
            let range = number * 4096..<number * 4096 + 4000
            plan.write("entry \(number) ")
            plan.copy(range, from: Int(number % 2))
            expected.update([ByteBuffer(string: "entry \(number) "), ByteBuffer(bytes: range.map(Endless.byte))])
        }
        try await Self.folder { path in
            let rendering = try await DocumentRenderer.render(plan, of: sources, base: "", compute: pool, scratch: ScratchFolder(path))
            #expect(rendering.digests[0] == expected.digests()[0])
            #expect(rendering.size == expected.length && rendering.size > 40_000_000)
            #expect(!rendering.isInMemory)
            let names = try FileManager.default.contentsOfDirectory(atPath: path)
            #expect(names.isEmpty)
            let tail = try await rendering.bytes.read(at: rendering.size - 4000, limit: 4000, on: pool)
            #expect(tail?.getInteger(at: 0, as: UInt8.self) == Endless.byte((count - 1) * 4096))
        }
        for source in sources {
            #expect(source.largest.withLock { $0 } <= 256 << 10)
            #expect(source.reads.withLock { $0 } < 400)
        }
    }

    @Test(
        "what stays large when it is compressed goes to a file too, and what it is made of is read to its size and no further", arguments: [5 << 20, 300_007])
    func compressed(_ size: Int) async throws {
        let pool = ThreadPool(threads: 2)
        var (state, noise) = (UInt64(42), ByteBuffer())
        while noise.readableBytes < size + 1000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            noise.writeInteger(state)
        }
        let digest = try #require(ContentDigest(.sha256, [UInt8](repeating: 1, count: 32)))
        let rendering = Rendering(digests: [digest], size: Int64(size), bytes: MemoryContent(noise))
        try await Self.folder { path in
            let compressed = try await rendering.compressed(on: pool, ScratchFolder(path))
            #expect(!compressed.isInMemory && compressed.bytes.length == compressed.size)
            var bytes = try await compressed.bytes.readAll(compressed.size, on: pool)
            var out = ByteBuffer()
            let decoder = GzipDecoder()
            while var piece = try decoder.decode(&bytes) { out.writeBuffer(&piece) }
            try decoder.finish()
            #expect(out == noise.getSlice(at: 0, length: size))
        }
        try await pool.shutdown()
    }

    @Test("a source that is shorter than its outline says is no document")
    func short() async throws {
        var plan = DocumentPlan()
        plan.copy(0..<10, from: 0)
        let source = MemoryContent(ByteBuffer(string: "short"))
        await #expect(throws: DocumentChanged.self) {
            _ = try await DocumentRenderer.render(plan, of: [source], base: "", compute: ThreadPool(threads: 1), scratch: ScratchFolder("/nowhere"))
        }
    }

    @Test("four addresses of a document are kept; the fifth takes the place of the one that was made first")
    func bases() throws {
        var shelf = RenderingShelf()
        let place = RenderingShelf.Place(repository: RepositoryID(1), document: DocumentID("list", "p"))
        let stamp = DocumentStamp(revision: 1, parts: [])
        let digest = try #require(ContentDigest(.sha256, [UInt8](repeating: 1, count: 32)))
        func key(_ base: Int) -> RenderingShelf.Key { RenderingShelf.Key(place: place, publicBase: "http://h\(base)", isPartial: false) }
        for base in 0..<5 { shelf.keep(Rendering(digests: [digest], size: 1, bytes: MemoryContent(ByteBuffer(string: "x"))), key(base), stamp) }
        let kept = (0..<5).map { base in
            if case .some(.some) = shelf.rendering(key(base), stamp) { return true }
            return false
        }
        #expect(kept == [false, true, true, true, true])
        var other = stamp
        other.revision = 2
        if case .some = shelf.rendering(key(4), other) { Issue.record("kept under another stamp") }
        shelf.keep(nil, key(4), stamp)
        guard case .some(.none) = shelf.rendering(key(4), stamp) else {
            Issue.record("an absence is not kept")
            return
        }
    }

    @Test("an outline finds its entries, and of two of one name the last one counts")
    func outline() {
        var outline = Outline()
        for (number, name) in ["b", "a", "c", "a"].enumerated() {
            outline.add(Outline.Entry(section: "s", name: name, bytes: Int64(number)..<Int64(number + 1)))
        }
        outline.add(Outline.Entry(section: "r", name: "a", bytes: 9..<10))
        outline.seal()
        #expect(outline.entries.map(\.name) == ["b", "c", "a", "a"])
        #expect(outline.entry("s", "a")?.bytes == 3..<4)
        #expect(outline.entry("r", "a")?.bytes == 9..<10)
        #expect(outline.entry("s", "d") == nil && outline.entry("t", "a") == nil)
    }
}
