import Synchronization

/// Ends one child of a task group that cannot be cancelled alone.
final class StopSign: Sendable {
    private struct State {
        var isUp = false
        var waiting: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())

    func raise() {
        let waiting = self.state.withLock { state in
            state.isUp = true
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    /// Runs `work`, cancelled as soon as the sign is up or the task is cancelled. Returns when `work` has.
    func run(_ work: @escaping @Sendable () async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await work()
                // Ends the other child.
                self.raise()
            }
            group.addTask { await self.wait() }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = self.state.withLock { state in
                    guard !state.isUp, !Task.isCancelled else { return true }
                    state.waiting = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            self.raise()
        }
    }
}
