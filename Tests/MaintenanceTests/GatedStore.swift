import ArtifactModel
import BlobStores
import StorageAPI
import Synchronization

/// A memory store whose deletes wait for a gate, and fail for one digest.
final class GatedStore: BlobStore {
    private struct State {
        var isOpen = false
        var refused: ContentDigest?
        var waiting: [CheckedContinuation<Void, Never>] = []
        var reached = false
        var watcher: CheckedContinuation<Void, Never>?
    }
    private let store = MemoryBlobStore(clock: { Timestamp(milliseconds: 0) })
    private let state = Mutex(State())

    func open() {
        let waiting = self.state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func refuse(_ digest: ContentDigest?) { self.state.withLock { $0.refused = digest } }

    /// Returns when a delete waits at the gate.
    func reachedDelete() async {
        await withCheckedContinuation { continuation in
            let reached = self.state.withLock { state in
                if !state.reached { state.watcher = continuation }
                return state.reached
            }
            if reached { continuation.resume() }
        }
    }

    private func pass() async {
        await withCheckedContinuation { continuation in
            let (isOpen, watcher) = self.state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                state.reached = true
                defer { state.watcher = nil }
                return (state.isOpen, state.watcher)
            }
            watcher?.resume()
            if isOpen { continuation.resume() }
        }
    }

    func delete(_ digest: ContentDigest) async throws(BlobStoreError) {
        await self.pass()
        guard self.state.withLock({ $0.refused }) != digest else { throw BlobStoreError(.io, "refused by the test") }
        try await self.store.delete(digest)
    }

    func create() async throws(BlobStoreError) -> any BlobWriter { try await self.store.create() }
    func resume(_ id: UploadID) async throws(BlobStoreError) -> (any BlobWriter)? { try await self.store.resume(id) }
    func seal(_ id: UploadID, as digest: ContentDigest, length: Int64, _ durability: Durability) async throws(BlobStoreError) {
        try await self.store.seal(id, as: digest, length: length, durability)
    }
    func discard(_ id: UploadID) async throws(BlobStoreError) { try await self.store.discard(id) }
    func open(_ digest: ContentDigest) async throws(BlobStoreError) -> (any ContentSource)? { try await self.store.open(digest) }
    func list(after digest: ContentDigest?, limit: Int) async throws(BlobStoreError) -> [(digest: ContentDigest, size: Int64)] {
        try await self.store.list(after: digest, limit: limit)
    }
    func setAside(_ digest: ContentDigest) async throws(BlobStoreError) { try await self.store.setAside(digest) }
    func asides(limit: Int) async throws(BlobStoreError) -> [(digest: ContentDigest, size: Int64)] { try await self.store.asides(limit: limit) }
    func uploads(untouchedSince moment: Timestamp) async throws(BlobStoreError) -> [UploadID] { try await self.store.uploads(untouchedSince: moment) }
    func freeSpace() async throws(BlobStoreError) -> Int64? { 1 << 40 }
}
