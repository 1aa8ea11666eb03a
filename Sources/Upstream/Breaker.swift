/// Decides whether an upstream is asked at all. Has no clock: times are durations since any beginning.
///
/// ```
///  closed ──`limit` troubles in a row, or told to wait──▶ open ──rest is over──▶ probing (one request)
///    ▲                                                      ▲                        │
///    └───────────────── an answer ◀─────────────────────────┼──── trouble: twice as long
/// ```
///
/// An answer is anything that the upstream says of what it was asked for: a miss closes it, as content does.
struct Breaker: Hashable, Sendable {
    struct Limits: Hashable, Sendable {
        var troubles = 5
        var rest: Duration = .seconds(1)
        var longestRest: Duration = .seconds(60)
        /// What `Retry-After` may ask for.
        var longestWait: Duration = .seconds(600)
        /// A probe that says nothing for so long was lost.
        var probe: Duration = .seconds(30)
    }

    enum State: Hashable, Sendable {
        case closed
        case open(until: Duration)
        case probing(since: Duration)
    }

    private(set) var state: State = .closed
    /// In a row.
    private(set) var troubles = 0
    private var rest: Duration
    private let limits: Limits

    init(_ limits: Limits = Limits()) {
        self.limits = limits
        self.rest = limits.rest
    }

    /// Whether a request may go now; nil: it may, and its outcome must be told. Else: how long it rests.
    mutating func ask(now: Duration) -> Duration? {
        switch self.state {
        case .closed: return nil
        case .open(let until):
            guard now >= until else { return until - now }
            self.state = .probing(since: now)
            return nil
        case .probing(let since):
            guard now - since < self.limits.probe else {
                self.state = .probing(since: now)
                return nil
            }
            return self.limits.rest
        }
    }

    mutating func answered() {
        self.state = .closed
        self.troubles = 0
        self.rest = self.limits.rest
    }

    /// - Parameter wait: what the upstream asked for: it is left alone for so long, at once.
    mutating func failed(now: Duration, wait: Duration? = nil) {
        self.troubles += 1
        if let wait, wait > .zero { return self.open(now, for: min(wait, self.limits.longestWait)) }
        switch self.state {
        case .probing:
            self.rest = min(self.rest * 2, self.limits.longestRest)
            self.open(now, for: self.rest)
        case .closed: if self.troubles >= self.limits.troubles { self.open(now, for: self.rest) }
        // Begun before it opened.
        case .open: break
        }
    }

    /// The asker of a request went away: nothing is known by it.
    mutating func cancelled(now: Duration) {
        if case .probing = self.state { self.state = .open(until: now) }
    }

    private mutating func open(_ now: Duration, for time: Duration) {
        if case .open(let until) = self.state, until > now + time { return }
        self.state = .open(until: now + time)
    }
}
