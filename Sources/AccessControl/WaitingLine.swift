import Synchronization

/// A few at a time; who comes while others are at it waits, up to a bound, in the order of coming.
final class WaitingLine: Sendable {
    private struct State {
        var running = 0
        var serial = 0
        /// Told whether its turn has come; if not, it was cancelled.
        var line: [(number: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    }

    private let atOnce: Int
    private let most: Int
    private let state = Mutex(State())

    /// - Parameter waiting: how many may wait.
    init(atOnce: Int, waiting: Int) {
        self.atOnce = atOnce
        self.most = waiting
    }

    /// - Throws: `.busy` where too many wait, `.cancelled`; what `work` throws.
    func run<Value>(_ work: () async throws(AccessFailure) -> Value) async throws(AccessFailure) -> Value {
        try await self.begin()
        defer { self.end() }
        return try await work()
    }

    private func begin() async throws(AccessFailure) {
        let number: Int? = try self.state.withLock { state throws(AccessFailure) in
            if state.running < self.atOnce {
                state.running += 1
                return nil
            }
            guard state.line.count < self.most else { throw .busy }
            state.serial += 1
            return state.serial
        }
        guard let number else { return }
        let isMyTurn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in self.enter(number, continuation) }
        } onCancel: {
            self.leave(number)
        }
        if !isMyTurn { throw .cancelled }
    }

    private func enter(_ number: Int, _ continuation: CheckedContinuation<Bool, Never>) {
        let answer: Bool? = self.state.withLock { state in
            // It may have been cancelled before it stood in line, and a place may be free by now.
            if Task.isCancelled { return false }
            if state.running < self.atOnce {
                state.running += 1
                return true
            }
            state.line.append((number, continuation))
            return nil
        }
        if let answer { continuation.resume(returning: answer) }
    }

    private func leave(_ number: Int) {
        let left = self.state.withLock { state in state.line.firstIndex { $0.number == number }.map { state.line.remove(at: $0).continuation } }
        left?.resume(returning: false)
    }

    /// Passes the place on to whoever is first in line.
    private func end() {
        let next = self.state.withLock { state -> CheckedContinuation<Bool, Never>? in
            if state.line.isEmpty {
                state.running -= 1
                return nil
            }
            return state.line.removeFirst().continuation
        }
        next?.resume(returning: true)
    }
}
