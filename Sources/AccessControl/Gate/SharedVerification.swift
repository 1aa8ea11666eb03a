import Synchronization

/// Has what many bring at the same time verified once: the first one does it, the others wait for what it comes to.
///
/// Whoever is cancelled leaves; where it was the one who verifies, the next one in line takes over.
final class SharedVerification<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private enum Word: Sendable {
        case result(Result<Value, AccessFailure>)
        case takeOver
        case leave
    }
    private typealias Waiter = (number: Int, continuation: CheckedContinuation<Word, Never>)
    private struct State {
        var waiters: [Key: [Waiter]] = [:]
        var serial = 0
    }

    private let state = Mutex(State())

    func value(_ key: Key, _ verify: () async throws(AccessFailure) -> Value) async throws(AccessFailure) -> Value {
        switch await self.join(key) {
        case .leave: throw .cancelled
        case .result(let result): return try result.get()
        case .takeOver: break
        }
        let result: Result<Value, AccessFailure>
        do { result = .success(try await verify()) } catch { result = .failure(error) }
        self.end(key, result)
        return try result.get()
    }

    /// `.takeOver` where nobody is at it.
    private func join(_ key: Key) async -> Word {
        let number: Int? = self.state.withLock { state in
            guard state.waiters[key] != nil else {
                state.waiters[key] = []
                return nil
            }
            state.serial += 1
            return state.serial
        }
        guard let number else { return .takeOver }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let word: Word? = self.state.withLock { state in
                    if Task.isCancelled { return .leave }
                    // It may be over by now.
                    guard state.waiters[key] != nil else {
                        state.waiters[key] = []
                        return .takeOver
                    }
                    state.waiters[key]?.append((number, continuation))
                    return nil
                }
                if let word { continuation.resume(returning: word) }
            }
        } onCancel: {
            let left = self.state.withLock { state in
                state.waiters[key]?.firstIndex { $0.number == number }.flatMap { state.waiters[key]?.remove(at: $0).continuation }
            }
            left?.resume(returning: .leave)
        }
    }

    private func end(_ key: Key, _ result: Result<Value, AccessFailure>) {
        var isCancelled = false
        if case .failure(let failure) = result { isCancelled = failure.code == .cancelled }
        let (waiters, word): ([Waiter], Word) = self.state.withLock { [isCancelled] state in
            let waiters = state.waiters[key] ?? []
            guard isCancelled, let next = waiters.first else {
                state.waiters[key] = nil
                return (waiters, .result(result))
            }
            state.waiters[key] = Array(waiters.dropFirst())
            return ([next], .takeOver)
        }
        for waiter in waiters { waiter.continuation.resume(returning: word) }
    }
}
