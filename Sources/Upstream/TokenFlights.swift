import RepositoryEngine
import Synchronization

/// One request for each scope at a time: who comes second waits for what the first is given. A first asker that is cancelled hands its turn to the next.
final class TokenFlights: Sendable {
    private enum Turn {
        case yours
        case done(Result<String, UpstreamError>)
        case cancelled
    }
    private struct State {
        var next = 0
        var waiting: [TokenScope: [(id: Int, turn: CheckedContinuation<Turn, Never>)]] = [:]
    }
    private let state = Mutex(State())

    /// How many wait for the one that asks.
    func waiting(for scope: TokenScope) -> Int { self.state.withLock { $0.waiting[scope]?.count ?? 0 } }

    func token(for scope: TokenScope, _ ask: () async throws(UpstreamError) -> String) async throws(UpstreamError) -> String {
        switch await self.enter(scope) {
        case .cancelled: throw UpstreamError(.cancelled, "the request was given up")
        case .done(let result): return try result.get()
        case .yours: break
        }
        do throws(UpstreamError) {
            let token = try await ask()
            self.leave(scope, .done(.success(token)))
            return token
        } catch {
            self.leave(scope, error.code == .cancelled ? .yours : .done(.failure(error)))
            throw error
        }
    }

    private func enter(_ scope: TokenScope) async -> Turn {
        let id = self.state.withLock { state in
            state.next += 1
            return state.next
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { turn in
                let now: Turn? = self.state.withLock { state in
                    if Task.isCancelled { return .cancelled }
                    if state.waiting[scope] == nil {
                        state.waiting[scope] = []
                        return .yours
                    }
                    state.waiting[scope]?.append((id, turn))
                    return nil
                }
                if let now { turn.resume(returning: now) }
            }
        } onCancel: {
            let turn = self.state.withLock { state in
                state.waiting[scope]?.firstIndex { $0.id == id }.flatMap { state.waiting[scope]?.remove(at: $0).turn }
            }
            turn?.resume(returning: .cancelled)
        }
    }

    private func leave(_ scope: TokenScope, _ outcome: Turn) {
        let told = self.state.withLock { state in
            let waiting = state.waiting[scope] ?? []
            if case .yours = outcome, let first = waiting.first {
                state.waiting[scope] = Array(waiting.dropFirst())
                return [first.turn]
            }
            state.waiting[scope] = nil
            return waiting.map(\.turn)
        }
        for turn in told { turn.resume(returning: outcome) }
    }
}
