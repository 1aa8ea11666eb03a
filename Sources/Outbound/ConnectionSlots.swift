import Synchronization

/// So many at one time, the others in their order.
final class ConnectionSlots: Sendable {
    private struct State {
        var free: Int
        var next = 0
        var waiting: [(id: Int, turn: CheckedContinuation<Bool, Never>)] = []
    }
    private let state: Mutex<State>

    init(_ count: Int) { self.state = Mutex(State(free: max(1, count))) }

    /// One slot, free again when the last reference to it goes.
    final class Slot: Sendable {
        private let slots: ConnectionSlots
        fileprivate init(_ slots: ConnectionSlots) { self.slots = slots }
        deinit { self.slots.leave() }
    }

    /// - Throws: where the task is cancelled while it waits.
    func enter() async throws(CancellationError) -> Slot {
        let id = self.state.withLock { state in
            state.next += 1
            return state.next
        }
        let isIn = await withTaskCancellationHandler {
            await withCheckedContinuation { turn in
                let outcome: Bool? = self.state.withLock { state in
                    // After the lock is taken a cancellation finds the waiter, before it this sees the cancellation.
                    if Task.isCancelled { return false }
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    state.waiting.append((id, turn))
                    return nil
                }
                if let outcome { turn.resume(returning: outcome) }
            }
        } onCancel: {
            let turn = self.state.withLock { state in
                state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).turn }
            }
            turn?.resume(returning: false)
        }
        guard isIn else { throw CancellationError() }
        return Slot(self)
    }

    private func leave() {
        let turn = self.state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil as CheckedContinuation<Bool, Never>?
            }
            return state.waiting.removeFirst().turn
        }
        turn?.resume(returning: true)
    }
}
