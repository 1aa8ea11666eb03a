import FormatAPI

/// Decides how a movable name or file is answered: from what is kept, or by asking the upstream, and for how long a client waits for that.
/// Has no clock: ages are given.
struct Freshness: Hashable, Sendable {
    enum Plan: Hashable, Sendable {
        /// As it is.
        case serve
        /// The upstream said so long ago that there is none.
        case absent(since: Duration)
        /// With nothing in hand: as long as it takes.
        case ask
        /// What is in hand goes out where the upstream is in trouble; where it is slower than this, too.
        case askWithin(Duration)
    }

    var cache: ProxyPart.Cache

    /// - Parameters:
    ///   - isKept: whether there is something in hand.
    ///   - age: since the upstream confirmed that last; nil: not known, as after `repo invalidate`.
    ///   - missed: how long ago the upstream said that there is none; nil: never.
    func plan(_ isKept: Bool, age: Duration?, missed: Duration?) -> Plan {
        if isKept, let age, age <= self.cache.maxAge { return .serve }
        if let missed, missed <= self.cache.negativeMaxAge { return .absent(since: missed) }
        return isKept && self.mayServeStale(age) ? .askWithin(self.cache.revalidateDeadline) : .ask
    }

    func mayServeStale(_ age: Duration?) -> Bool { self.cache.staleOnError && (age ?? .zero) <= self.cache.maxStale }
}

extension FormatError {
    /// An upstream's, or of the way to it; not an answer.
    var isTrouble: Bool {
        switch self.code {
        case .upstreamUnreachable, .upstreamTimedOut, .upstreamFailed, .unavailable, .noSpace: true
        default: false
        }
    }
}
