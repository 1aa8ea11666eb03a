import ArtifactModel
import FormatAPI
import FormatTestKit
import NIOCore
import StorageAPI
import Synchronization
import Testing

@testable import RepositoryEngine

@Suite("Who comes as a download is being kept")
struct LateJoinerTests {
    /// Stands between the bytes that are all there and the commit that names them.
    private final class Gate: Sendable {
        private struct State {
            var isEntered = false
            var isOpen = false
            var waiting: [CheckedContinuation<Void, Never>] = []
        }
        private let state = Mutex(State())

        var isEntered: Bool { self.state.withLock { $0.isEntered } }

        func pass() async {
            await withCheckedContinuation { continuation in
                let isOpen = self.state.withLock { state in
                    state.isEntered = true
                    if !state.isOpen { state.waiting.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
        }

        func open() {
            let waiting = self.state.withLock { state in
                state.isOpen = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }
    }

    @Test("is given the same download, and the upstream is not asked again")
    func joins() async throws {
        let upstream = ScriptedUpstream()
        let site = try await TestSite.make(SilentFormat(), site: NoSettings(), [.proxy("p", of: upstream)])
        let bytes = ByteBuffer(string: "all of it")
        var hasher = MultiHasher([])
        hasher.update([bytes])
        upstream.put("a/blob", .init(bytes))
        let gate = Gate()
        let want = ContentRequest(try AssetPath(["a", "blob"]), .immutable, upstream: UpstreamResource(.below("a/blob")), expecting: hasher.digests()) {
            await gate.pass()
            return Edit([.putAsset($0.asset, .always)])
        }
        try await site.running {
            let first = try #require(try await site.content(of: "p").content(want))
            async let one = first.source.whole()
            for _ in 0..<200_000 where !gate.isEntered { await Task.yield() }
            #expect(gate.isEntered)
            let second = try #require(try await site.content(of: "p").content(want))
            gate.open()
            let other = try await second.source.whole()
            #expect(try await one == bytes && other == bytes)
            #expect(upstream.asked.map(\.method) == ["GET"])
        }
    }

    /// Two who have looked in vain, and are told so only when somebody else's download has been kept.
    @Test("who looked before it was kept, and asks after, asks nobody", arguments: [Delivery.head, .whole])
    func late(delivery: Delivery) async throws {
        let (upstream, looks) = (ScriptedUpstream(), Looks())
        let site = try await TestSite.make(
            SilentFormat(), site: NoSettings(), [.proxy("p", of: upstream)], decorate: { SlowLooks(store: $0, looks: looks) })
        upstream.put("a/blob", .init("all of it"))
        let want = ContentRequest(try AssetPath(["a", "blob"]), .immutable, upstream: UpstreamResource(.below("a/blob")))
        try await site.running { () async throws in
            looks.hold()
            async let one = site.content(of: "p", delivery).content(want)
            async let two = site.content(of: "p", delivery).content(want)
            await looks.untilHeld(2)
            looks.pass()
            _ = try await site.content(of: "p").content(want)?.source.whole()
            for _ in 0..<200_000 where site.fills.count > 0 { await Task.yield() }
            looks.release()
            #expect(try await one?.cache?.outcome == .hit)
            #expect(try await two?.cache?.outcome == .hit)
            #expect(upstream.asked.map(\.method) == ["GET"])
        }
    }
}

/// Holds the answers of look-ups back, from one moment to another.
private final class Looks: Sendable {
    private struct State {
        var isHolding = false
        var held: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Mutex(State())

    func hold() { self.state.withLock { $0.isHolding = true } }
    /// Those that come from now on are not held; those that are, are.
    func pass() { self.state.withLock { $0.isHolding = false } }

    func untilHeld(_ count: Int) async {
        for _ in 0..<200_000 where self.state.withLock({ $0.held.count }) < count { await Task.yield() }
    }

    func release() {
        let held = self.state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    func looked() async {
        await withCheckedContinuation { continuation in
            let isHeld = self.state.withLock { state in
                if state.isHolding { state.held.append(continuation) }
                return state.isHolding
            }
            if !isHeld { continuation.resume() }
        }
        // Others have their turn between a look and what comes of it.
        for _ in 0..<100 { await Task.yield() }
    }
}

private struct SlowLooks: MetadataStore {
    let store: any MetadataStore
    let looks: Looks

    func asset(at path: AssetPath, in repository: RepositoryID) async throws(MetadataError) -> StoredAsset? {
        let found = try await self.store.asset(at: path, in: repository)
        await self.looks.looked()
        return found
    }
    func pointer(_ name: PointerName, in repository: RepositoryID) async throws(MetadataError) -> String? {
        try await self.store.pointer(name, in: repository)
    }
    func upstreamState(of subject: String, in repository: RepositoryID) async throws(MetadataError) -> UpstreamState? {
        try await self.store.upstreamState(of: subject, in: repository)
    }
    func generations(of documents: [DocumentPlace]) async throws(MetadataError) -> [Int64] { try await self.store.generations(of: documents) }
    func fragments(of document: DocumentPlace, after mark: StoredFragment?, limit: Int) async throws(MetadataError) -> [StoredFragment] {
        try await self.store.fragments(of: document, after: mark, limit: limit)
    }
    func bytes(ofFragments numbers: [Int64]) async throws(MetadataError) -> [[UInt8]?] { try await self.store.bytes(ofFragments: numbers) }
    func expireUpstreamStates(_ prefix: String, in repository: RepositoryID) async throws(MetadataError) -> Int {
        try await self.store.expireUpstreamStates(prefix, in: repository)
    }
    func rows(_ query: ContentQuery, in repository: RepositoryID) async throws(MetadataError) -> ContentPage {
        try await self.store.rows(query, in: repository)
    }
    func commit(_ edit: RepositoryEdit) async throws(MetadataError) { try await self.store.commit(edit) }
}
