/// How many requests one of the many may send. A value: the caller says what time it is, in nanoseconds since any fixed moment.
///
/// A bucket of tokens, kept as one number: the moment at which it will be full again. Each request moves that moment on by the time that one
/// token takes to come, and none may move it further ahead than a whole bucket takes.
struct Allowance: Hashable, Sendable {
    /// What a pause saves up, in nanoseconds' worth of requests.
    static let burst: Int64 = 10_000_000_000

    enum Verdict: Hashable, Sendable {
        case admitted
        /// Of the bucket's tokens none is left; one comes after so many nanoseconds.
        case tooFast(wait: Int64)
        case tooManyAtOnce
    }

    private var full: Int64 = .min
    private(set) var running = 0

    /// Counts a request, unless it is one too many: a refused one costs nothing.
    mutating func enter(_ rule: SenderLimits, now: Int64) -> Verdict {
        if let most = rule.concurrent, self.running >= most { return .tooManyAtOnce }
        if let rate = rule.requests {
            let next = max(self.full, now) + 1_000_000_000 / Int64(max(1, rate))
            guard next - now <= Self.burst else { return .tooFast(wait: next - now - Self.burst) }
            self.full = next
        }
        self.running += 1
        return .admitted
    }

    /// Ends a request that was admitted.
    mutating func leave() { self.running -= 1 }

    /// Whether a fresh one would decide all the same.
    func isIdle(now: Int64) -> Bool { self.running == 0 && self.full <= now }
    /// What to forget first where there is no room: the larger, the more would be forgotten.
    var spent: Int64 { self.running > 0 ? .max : self.full }
}
