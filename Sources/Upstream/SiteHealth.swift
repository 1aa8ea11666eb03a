import RepositoryEngine
import Synchronization

/// What is known of one remote's well-being: its breaker, its rate limits, and how fast it answers. Shared by all requests to it.
final class SiteHealth: Sendable {
    private struct State {
        var breaker: Breaker
        /// By what they are about: one that permits no more of these may still answer others.
        var throttles: [String: Breaker] = [:]
        /// Until the head of an answer, smoothed; nil: never asked.
        var latency: Duration?
        var lastTrouble = ""
        var budget: RateBudget?
        /// Until then others that have the same are asked first.
        var distrustedUntil: Duration?
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
    /// - Parameter key: what a rate limit would be about.
    func run<Answer: Sendable>(
        _ name: String, _ key: String, _ send: () async throws(UpstreamError) -> Answer
    ) async throws(UpstreamError) -> Answer {
        let began = self.clock()
        let (rest, trouble) = self.state.withLock { (Self.rest(&$0, key, began), $0.lastTrouble) }
        if let rest {
            throw UpstreamError(.trouble(.paused), "\(name) is left alone for now, since it was in trouble: \(trouble)", retryAfter: rest)
        }
        do throws(UpstreamError) {
            let answer = try await send()
            self.answered(key, since: began)
            return answer
        } catch {
            self.note(error, key, since: began)
            throw error
        }
    }

    private static func rest(_ state: inout State, _ key: String, _ now: Duration) -> Duration? {
        if let rest = state.throttles[key]?.ask(now: now) { return rest }
        guard let rest = state.breaker.ask(now: now) else { return nil }
        state.throttles[key]?.cancelled(now: now)
        return rest
    }

    private func answered(_ key: String, since began: Duration) {
        let took = self.clock() - began
        self.state.withLock { state in
            state.breaker.answered()
            state.throttles[key] = nil
            state.latency = state.latency.map { $0 * 0.8 + took * 0.2 } ?? took
        }
    }

    private func note(_ error: UpstreamError, _ key: String, since began: Duration) {
        switch error.code {
        // It says something of the thing that was asked for, and is well.
        case .absent, .trouble(.denied): self.answered(key, since: began)
        // Nothing is known by it: the asker went, or our own rules forbade it.
        case .cancelled, .trouble(.forbidden), .trouble(.paused): self.forget(key)
        case .trouble(.throttled): self.throttle(error, key)
        case .trouble:
            let now = self.clock()
            self.state.withLock { state in
                state.breaker.failed(now: now, wait: error.retryAfter)
                state.lastTrouble = error.message
            }
        }
    }

    private func forget(_ key: String) {
        let now = self.clock()
        self.state.withLock { state in
            state.breaker.cancelled(now: now)
            state.throttles[key]?.cancelled(now: now)
        }
    }

    /// The remote itself is well.
    private func throttle(_ error: UpstreamError, _ key: String) {
        let now = self.clock()
        self.state.withLock { state in
            state.breaker.answered()
            var throttle = state.throttles[key] ?? Breaker(Breaker.Limits(troubles: 1))
            throttle.failed(now: now, wait: error.retryAfter)
            state.throttles[key] = throttle
            state.lastTrouble = error.message
        }
    }

    /// What it sent was not what its digest says. One bad file is no reason to leave it alone where nobody else has the others.
    func reproach() {
        let now = self.clock()
        self.state.withLock { $0.distrustedUntil = now + .seconds(60) }
    }

    func note(_ budget: RateBudget?) {
        guard let budget else { return }
        self.state.withLock { $0.budget = budget }
    }

    /// For the order of mirrors.
    var rank: (isResting: Bool, latency: Duration?) {
        let now = self.clock()
        return self.state.withLock { ($0.breaker.state != .closed || ($0.distrustedUntil ?? now) > now, $0.latency) }
    }

    func figures(_ origin: String) -> UpstreamFigures.Site {
        let state = self.state.withLock { $0 }
        let breaker: UpstreamFigures.Site.Breaker =
            switch state.breaker.state {
            case .closed: .closed
            case .open: .open
            case .probing: .halfOpen
            }
        return UpstreamFigures.Site(origin: origin, breaker: breaker, latency: state.latency, budget: state.budget)
    }
}
