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
}
