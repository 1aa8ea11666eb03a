import StorageAPI
import Synchronization

/// Which call fails: shared by all stores of a test, so that calls are counted in the order in which they come.
final class FaultSchedule: Sendable {
    enum Mode: CaseIterable, Sendable {
        /// Nothing was done.
        case before
        /// It was done, and is told as failed.
        case after
        /// Nothing was done, by this call and by all that come later, for want of space.
        case fromThereOn
    }
    private struct State {
        var left: Int?
        var mode = Mode.before
        var fired: String?
    }
    private let state = Mutex(State())

    func arm(_ call: Int, _ mode: Mode) { self.state.withLock { $0 = State(left: call, mode: mode) } }

    /// - Returns: the first call that failed; nil: none was reached.
    func disarm() -> String? {
        self.state.withLock { state in
            state.left = nil
            return state.fired
        }
    }

    private func next(_ name: String) -> Mode? {
        self.state.withLock { state in
            guard let left = state.left else { return nil }
            guard left == 1 else {
                state.left = left - 1
                return nil
            }
            if state.mode != .fromThereOn { state.left = nil }
            state.fired = state.fired ?? name
            return state.mode
        }
    }

    func blob<T>(_ name: String, _ work: () async throws(BlobStoreError) -> T) async throws(BlobStoreError) -> T {
        switch self.next(name) {
        case nil: return try await work()
        case .before?: throw BlobStoreError(.io, "secret: \(name)")
        case .fromThereOn?: throw BlobStoreError(.noSpace, "secret: \(name)")
        case .after?:
            _ = try await work()
            throw BlobStoreError(.io, "secret: \(name)")
        }
    }

    func row<T>(_ name: String, _ work: () async throws(MetadataError) -> T) async throws(MetadataError) -> T {
        switch self.next(name) {
        case nil: return try await work()
        case .before?: throw MetadataError(.io, "secret: \(name)")
        case .fromThereOn?: throw MetadataError(.noSpace, "secret: \(name)")
        case .after?:
            _ = try await work()
            throw MetadataError(.io, "secret: \(name)")
        }
    }
}
