import RepositoryEngine
import Synchronization

/// What is known of one remote's well-being: its breaker, and how fast it answers. Shared by all requests to it.
final class SiteHealth: Sendable {
    private struct State {
        var breaker: Breaker
        /// Until the head of an answer, smoothed; nil: never asked.
        var latency: Duration?
        var lastTrouble = ""
    }

    private let state: Mutex<State>
    private let begin = ContinuousClock.now
    /// Since any beginning.
    private let clock: @Sendable () -> Duration

    /// - Parameter clock: nil: that of the machine.
    init(_ limits: Breaker.Limits = Breaker.Limits(), clock: (@Sendable () -> Duration)? = nil) {
        self.state = Mutex(State(breaker: Breaker(limits)))
        let begin = self.begin
        self.clock = clock ?? { ContinuousClock.now - begin }
    }

    /// Sends where the breaker permits it, and hears of the outcome.
    func run<Answer: Sendable>(_ name: String, _ send: () async throws(UpstreamError) -> Answer) async throws(UpstreamError) -> Answer {
        let began = self.clock()
        let (rest, trouble) = self.state.withLock { ($0.breaker.ask(now: began), $0.lastTrouble) }
        if let rest {
            throw UpstreamError(.trouble(.paused), "\(name) is left alone for now: \(trouble)", retryAfter: rest)
        }
        do throws(UpstreamError) {
            let answer = try await send()
            self.answered(since: began)
            return answer
        } catch {
            self.note(error, since: began)
            throw error
        }
    }

    private func answered(since began: Duration) {
        let took = self.clock() - began
        self.state.withLock { state in
            state.breaker.answered()
            state.latency = state.latency.map { $0 * 0.8 + took * 0.2 } ?? took
        }
    }

    private func note(_ error: UpstreamError, since began: Duration) {
        switch error.code {
        case .absent: self.answered(since: began)
        case .cancelled: self.state.withLock { $0.breaker.cancelled(now: self.clock()) }
        // Our own rules, which say nothing of it.
        case .trouble(.forbidden), .trouble(.paused): self.state.withLock { $0.breaker.cancelled(now: self.clock()) }
        case .trouble:
            self.state.withLock { state in
                state.breaker.failed(now: self.clock(), wait: error.retryAfter)
                state.lastTrouble = error.message
            }
        }
    }

    /// For figures, and for the order of mirrors.
    var now: (state: Breaker.State, latency: Duration?) { self.state.withLock { ($0.breaker.state, $0.latency) } }
}
