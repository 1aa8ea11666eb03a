import ArtifactModel
import Synchronization

/// Where passwords are hashed: two at once, some waiting, and of one address no more than a few, so that who guesses keeps nobody out for long.
final class HashingDesk: Sendable {
    static let atOnce = 2
    static let mostWaiting = 32
    static let mostOfOne = 8

    private struct State {
        var running = 0
        var waiting: [(client: String, continuation: CheckedContinuation<Void, Never>)] = []
        var counts: [String: Int] = [:]
    }
    private let state = Mutex(State())
    private let pool: any BlockingPool

    init(_ pool: any BlockingPool) { self.pool = pool }

    /// - Throws: `.busy` where too many wait; `.unavailable` where it cannot be computed.
    func run<Answer: Sendable>(for client: String, _ work: @escaping @Sendable () throws -> Answer) async throws(AccessFailure) -> Answer {
        guard await self.enter(client) else {
            throw AccessFailure(.busy, "too many passwords are being checked; try again in a moment", retryAfter: .seconds(1))
        }
        defer { self.leave(client) }
        do {
            return try await self.pool.run(work)
        } catch {
            throw AccessFailure(error is CancellationError ? .cancelled : .unavailable, "the password cannot be checked now; try again", cause: error)
        }
    }

    private enum Turn { case now, never, later }

    private func enter(_ client: String) async -> Bool {
        let turn: Turn = self.state.withLock { state in
            guard state.counts[client, default: 0] < Self.mostOfOne, state.waiting.count < Self.mostWaiting else { return .never }
            state.counts[client, default: 0] += 1
            guard state.running < Self.atOnce else { return .later }
            state.running += 1
            return .now
        }
        if turn == .later {
            await withCheckedContinuation { continuation in
                let now = self.state.withLock { state in
                    guard state.running >= Self.atOnce else {
                        state.running += 1
                        return true
                    }
                    state.waiting.append((client, continuation))
                    return false
                }
                if now { continuation.resume() }
            }
        }
        return turn != .never
    }

    private func leave(_ client: String) {
        let next: CheckedContinuation<Void, Never>? = self.state.withLock { state in
            state.counts[client, default: 1] -= 1
            if state.counts[client] == 0 { state.counts[client] = nil }
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume()
    }
}
