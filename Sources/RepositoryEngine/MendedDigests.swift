import ArtifactModel
import Synchronization

/// Keeps writers and a repair of one digest apart: bytes that were just sealed must not be taken for those that were found bad. Writers of
/// equal bytes go on side by side. Within the one process that owns the store.
final class MendedDigests: Sendable {
    private struct State: Sendable {
        var sealing: [ContentDigest: Int] = [:]
        var mending: Set<ContentDigest> = []
    }
    private let state = Mutex(State())

    /// From hold to seal. Waits for a repair.
    /// - Throws: what `work` throws; `CancellationError` while waiting.
    func sealing<Result: Sendable>(_ digest: ContentDigest, _ work: () async throws -> Result) async throws -> Result {
        try await self.wait { state in
            guard !state.mending.contains(digest) else { return false }
            state.sealing[digest, default: 0] += 1
            return true
        }
        defer { self.state.withLock { $0.sealing[digest] = ($0.sealing[digest] ?? 1) > 1 ? ($0.sealing[digest] ?? 1) - 1 : nil } }
        return try await work()
    }

    /// Waits for the writers and for another repair.
    func mending<Result: Sendable>(_ digest: ContentDigest, _ work: () async throws -> Result) async throws -> Result {
        try await self.wait { state in
            guard state.sealing[digest] == nil else { return false }
            return state.mending.insert(digest).inserted
        }
        defer { self.state.withLock { _ = $0.mending.remove(digest) } }
        return try await work()
    }

    /// Both are short and rare to meet: a look every 10 ms.
    private func wait(_ enter: (inout State) -> Bool) async throws {
        while !self.state.withLock({ enter(&$0) }) { try await Task.sleep(for: .milliseconds(10)) }
    }
}
