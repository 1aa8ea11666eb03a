import ArtifactModel
import BlobStores
import FormatAPI
import FormatTestKit
import HTTPTypes
import Maintenance
import NIOCore
import RepositoryEngine
import StorageAPI
import Synchronization
import Testing

@Suite("A cache within its bound") struct EvictorTests {
    @Test("lets go of the image that was used longest ago, with its tag and layers, and fetches it again when it is asked for")
    func leastUsed() async throws {
        let cache = try await CacheSite(bound: 25_000)
        try await cache.site.running {
            var digests: [ContentDigest] = []
            for name in ["a", "b"] {
                digests.append(try cache.put("team/\(name)", "1", layers: [layer(name)]).digest)
                try await cache.pull("team/\(name)", "1", layers: [layer(name)])
            }
            #expect(try await cache.evictor.run(cache.hub) == Evictor.Figures())
            digests.append(try cache.put("team/c", "1", layers: [layer("c")]).digest)
            try await cache.pull("team/c", "1", layers: [layer("c")])
            let gone = try await cache.evictor.run(cache.hub)
            #expect(gone.components == 1 && gone.files == 1 && gone.bytes > 10_000, "\(gone)")
            #expect(try await !cache.hasManifest("team/a", digests[0]))
            #expect(try await !cache.hasLayer("team/a", layer("a")))
            #expect(try await cache.hasManifest("team/b", digests[1]))
            #expect(try await cache.hasLayer("team/b", layer("b")))
            let tag = PointerName(package: PackageName(name: "team/a"), kind: "tag", name: "1")
            #expect(try await cache.site.metadata.pointer(tag, in: cache.hub) == nil)
            #expect(try await cache.site.metadata.rows(ContentQuery(.packages, limit: 9), in: cache.hub).rows.map(\.name) == ["team/b", "team/c"])
            try await cache.pull("team/a", "1", layers: [layer("a")])
            #expect(try await cache.hasLayer("team/a", layer("a")))
        }
    }

    @Test("its space comes back by the next collection, once nothing holds the bytes any more")
    func space() async throws {
        let cache = try await CacheSite(bound: 5_000)
        try await cache.site.running {
            try cache.put("team/a", "1", layers: [layer("a")])
            try await cache.pull("team/a", "1", layers: [layer("a")])
            #expect(try await cache.evictor.run(cache.hub).bytes > 10_000)
            let site = cache.site
            let collector = Collector(site.shelf, ledger: site.metadata, now: { site.clock.now })
            #expect(try await collector.run().blobs == 0)
            site.clock.advance(by: .seconds(3601))
            #expect(try await collector.run().blobs == 2)
            #expect(try await site.blobs.list(after: nil, limit: 9).isEmpty)
        }
    }

    @Test("a layer that images share stays until the last of them goes")
    func shared() async throws {
        let cache = try await CacheSite(bound: 35_000)
        try await cache.site.running {
            for tag in ["1", "2", "3"] {
                try cache.put("app", tag, layers: [layer("base"), layer(tag)])
                try await cache.pull("app", tag, layers: [layer("base"), layer(tag)])
            }
            _ = try await cache.evictor.run(cache.hub)
            #expect(try await cache.hasLayer("app", layer("base")))
            #expect(try await cache.hasLayer("app", layer("2")))
            #expect(try await cache.hasLayer("app", layer("3")))
            #expect(try await !cache.hasLayer("app", layer("1")))
        }
    }

    @Test("reading a layer keeps its image, but not every other that has the same layer")
    func layerReads() async throws {
        let cache = try await CacheSite(bound: 25_000)
        try await cache.site.running {
            for name in ["a", "b"] { try cache.put(name, "1", layers: [layer(name)]) }
            let digests = try ["a", "b"].map { try cache.put($0, "1", layers: [layer($0)]).digest }
            for name in ["a", "b"] { try await cache.pull(name, "1", layers: [layer(name)]) }
            cache.site.clock.advance(by: .seconds(7200))
            _ = try await cache.get("a/blobs/\(try CacheSite.digest(layer("a")))")
            try cache.put("c", "1", layers: [layer("c")])
            try await cache.pull("c", "1", layers: [layer("c")])
            _ = try await cache.evictor.run(cache.hub)
            #expect(try await cache.hasManifest("a", digests[0]))
            #expect(try await cache.hasLayer("a", layer("a")))
            #expect(try await !cache.hasManifest("b", digests[1]))
            #expect(try await !cache.hasLayer("b", layer("b")))
        }
        let other = try await CacheSite(bound: 35_000)
        try await other.site.running {
            let digests = try ["1", "2", "3"].map { try other.put("app", $0, layers: [layer("base"), layer($0)]).digest }
            // Each of the later pulls reads the base that the first has too.
            for tag in ["2", "1", "3"] { try await other.pull("app", tag, layers: [layer("base"), layer(tag)]) }
            _ = try await other.evictor.run(other.hub)
            #expect(try await !other.hasManifest("app", digests[1]))
            #expect(try await other.hasManifest("app", digests[0]))
            #expect(try await other.hasManifest("app", digests[2]))
        }
    }

    @Test("a platform's image counts as used while its index is, and goes with it unless it is tagged or used itself")
    func indexes() async throws {
        let cache = try await CacheSite(bound: 50_000)
        try await cache.site.running {
            let children = try ["x", "y", "z"].map { try cache.put("multi", $0, layers: [layer($0)]) }
            let index = try cache.put(index: children, "multi", "all")
            try await cache.pull("multi", "all", layers: [])
            for (name, child) in zip(["x", "y", "z"], children) { try await cache.pull("multi", "\(child.digest)", layers: [layer(name)]) }
            // The index itself is asked for again and again, and a tag leads to «y».
            _ = try await cache.get("multi/manifests/y")
            try cache.put("old", "1", layers: [layer("old")])
            try await cache.pull("old", "1", layers: [layer("old")])
            try await cache.pull("multi", "all", layers: [])
            try cache.put("new", "1", layers: [layer("new")])
            try await cache.pull("new", "1", layers: [layer("new")])
            _ = try await cache.evictor.run(cache.hub)
            #expect(try await !cache.hasLayer("old", layer("old")))
            #expect(try await cache.hasManifest("multi", children[0].digest))
            // «x» was not asked for since the index was, «z» is used on its own.
            try await cache.pull("multi", "\(children[2].digest)", layers: [layer("z")])
            for name in ["n1", "n2"] {
                try cache.put(name, "1", layers: [layer(name)])
                try await cache.pull(name, "1", layers: [layer(name)])
            }
            _ = try await cache.evictor.run(cache.hub)
            #expect(try await !cache.hasManifest("multi", index))
            #expect(try await !cache.hasManifest("multi", children[0].digest))
            #expect(try await cache.hasManifest("multi", children[2].digest))
            #expect(try await cache.hasLayer("multi", layer("z")))
        }
    }

    @Test("what is being read waits, and the reader has all of it")
    func reading() async throws {
        let cache = try await CacheSite(bound: 150_000)
        try await cache.site.running {
            let large = layer("large", 100_000)
            let image = try cache.put("a", "1", layers: [large])
            try await cache.pull("a", "1", layers: [large])
            let path = AssetPath(checked: "a/blobs/\(try CacheSite.digest(large))")
            var reader: Content? = try await cache.site.content(of: "hub").content(ContentRequest(path, .immutable))
            for name in ["b", "c"] {
                try cache.put(name, "1", layers: [layer(name, 80_000)])
                try await cache.pull(name, "1", layers: [layer(name, 80_000)])
            }
            _ = try await cache.evictor.run(cache.hub)
            #expect(try await cache.hasManifest("a", image.digest))
            #expect(try await cache.hasLayer("a", large))
            #expect(try await reader?.source.whole().readableBytes == 100_000)
            reader = nil
            for name in ["d", "e"] {
                try cache.put(name, "1", layers: [layer(name, 80_000)])
                try await cache.pull(name, "1", layers: [layer(name, 80_000)])
            }
            _ = try await cache.evictor.run(cache.hub)
            #expect(try await !cache.hasManifest("a", image.digest))
        }
    }

    @Test("what was read while it went is read to its end")
    func openFile() async throws {
        let cache = try await CacheSite(bound: 50_000)
        try await cache.site.running {
            let large = layer("large", 100_000)
            try cache.put("a", "1", layers: [large])
            try await cache.pull("a", "1", layers: [large])
            let source = try #require(try await cache.site.blobs.open(try CacheSite.digest(large)))
            _ = try await cache.evictor.run(cache.hub)
            cache.site.clock.advance(by: .seconds(3601))
            let site = cache.site
            #expect(try await Collector(site.shelf, ledger: site.metadata, now: { site.clock.now }).run().blobs > 0)
            #expect(try await source.whole().readableBytes == 100_000)
            #expect(try await cache.get("a/blobs/\(try CacheSite.digest(large))").text == large)
        }
    }

    @Test("interrupted at its n-th commit leaves what can be served, and the next run ends it", arguments: 1...6)
    func interrupted(n: Int) async throws {
        let fuse = Fuse()
        let cache = try await CacheSite(bound: 45_000, decorate: { FusedMetadata(store: $0, fuse: fuse) })
        try await cache.site.running {
            for name in ["a", "b", "c", "d", "e"] {
                try cache.put("app", name, layers: [layer("base"), layer(name)])
                try await cache.pull("app", name, layers: [layer("base"), layer(name)])
            }
            fuse.set(n)
            let failed: Bool
            do {
                _ = try await cache.evictor.run(cache.hub)
                failed = false
            } catch {
                failed = true
            }
            #expect(failed == fuse.isBlown)
            fuse.set(nil)
            // No tag leads to what is not there, and every image is had, from here or from the upstream.
            for name in ["a", "b", "c", "d", "e"] {
                let tag = PointerName(package: PackageName(name: "app"), kind: "tag", name: name)
                if let target = try await cache.site.metadata.pointer(tag, in: cache.hub) { #expect(try await cache.has("app/manifests/\(target)")) }
            }
            _ = try await cache.evictor.run(cache.hub)
            #expect(try await cache.evictor.measure(cache.hub) <= 45_000)
            for name in ["a", "e"] { try await cache.pull("app", name, layers: [layer("base"), layer(name)]) }
        }
    }

    @Test("says that it is over its bound as bytes arrive, once, and counts what is linked twice no longer than until it measures")
    func meter() async throws {
        let cache = try await CacheSite(bound: 12_000)
        try await cache.site.running {
            #expect(cache.meter.size(of: cache.hub) == nil)
            _ = try await cache.evictor.run(cache.hub)
            #expect(cache.meter.size(of: cache.hub) == 0)
            for name in ["a", "b"] {
                try cache.put(name, "1", layers: [layer("same")])
                try await cache.pull(name, "1", layers: [layer("same")])
            }
            #expect(try #require(cache.meter.size(of: cache.hub)) > 20_000)
            #expect(try await cache.evictor.run(cache.hub) == Evictor.Figures())
            #expect(try #require(cache.meter.size(of: cache.hub)) < 12_000)
        }
    }
}

/// Lets so many commits through.
private final class Fuse: Sendable {
    private let left = Mutex<Int?>(nil)
    private let blown = Mutex(false)
    func set(_ count: Int?) { self.left.withLock { $0 = count } }
    var isBlown: Bool { self.blown.withLock { $0 } }

    func pass() throws(MetadataError) {
        let isOver = self.left.withLock { left in
            guard let count = left else { return false }
            left = count - 1
            return count == 1
        }
        guard isOver else { return }
        self.blown.withLock { $0 = true }
        throw MetadataError(.io, "the disk is gone")
    }
}

private struct FusedMetadata: MetadataStore {
    let store: any MetadataStore
    let fuse: Fuse

    func asset(at path: AssetPath, in repository: RepositoryID) async throws(MetadataError) -> StoredAsset? {
        try await self.store.asset(at: path, in: repository)
    }
    func generations(of documents: [DocumentPlace]) async throws(MetadataError) -> [Int64] { try await self.store.generations(of: documents) }
    func fragments(of document: DocumentPlace, after mark: StoredFragment?, limit: Int) async throws(MetadataError) -> [StoredFragment] {
        try await self.store.fragments(of: document, after: mark, limit: limit)
    }
    func bytes(ofFragments numbers: [Int64]) async throws(MetadataError) -> [[UInt8]?] { try await self.store.bytes(ofFragments: numbers) }
    func pointer(_ name: PointerName, in repository: RepositoryID) async throws(MetadataError) -> String? {
        try await self.store.pointer(name, in: repository)
    }
    func rows(_ query: ContentQuery, in repository: RepositoryID) async throws(MetadataError) -> ContentPage {
        try await self.store.rows(query, in: repository)
    }
    func upstreamState(of subject: String, in repository: RepositoryID) async throws(MetadataError) -> UpstreamState? {
        try await self.store.upstreamState(of: subject, in: repository)
    }
    func expireUpstreamStates(_ prefix: String, in repository: RepositoryID) async throws(MetadataError) -> Int {
        try await self.store.expireUpstreamStates(prefix, in: repository)
    }
    func commit(_ edit: RepositoryEdit) async throws(MetadataError) {
        try self.fuse.pass()
        try await self.store.commit(edit)
    }
}
