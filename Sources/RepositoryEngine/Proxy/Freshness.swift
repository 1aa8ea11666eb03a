import ArtifactModel
import FormatAPI

/// Decides how a name or file of an upstream is answered: from what is kept, or by asking, and for how long a client waits for that. Has no
/// clock: ages are given.
struct Freshness: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// Movable, and so asked for again after `maxAge`.
        case document
        /// A digest, or a name that is said never to move: asked for again only where its deletion upstream is to be honoured.
        case immutable
    }

    enum Plan: Hashable, Sendable {
        /// As it is.
        case serve
        /// As it is, although the upstream has no such thing any more.
        case serveGone
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
    func plan(_ kind: Kind, _ isKept: Bool, age: Duration?, missed: Duration?) -> Plan {
        if isKept, kind == .immutable, self.cache.goneImmutable == .keep { return .serve }
        if isKept, let age, age <= self.cache.maxAge { return .serve }
        if let missed, missed <= self.cache.negativeMaxAge {
            return isKept && self.gone(kind) == .keep ? .serveGone : .absent(since: missed)
        }
        return isKept && self.mayServeStale(kind, age) ? .askWithin(self.cache.revalidateDeadline) : .ask
    }

    /// When what is served now for its age has to be asked for again.
    /// - Parameter age: nil: it is served whatever its age.
    func end(age: Duration?, now: Timestamp) -> Timestamp? { age.map { now + (self.cache.maxAge - $0) } }

    /// When the upstream's word that there is none is not good any more.
    func end(missed: Duration, now: Timestamp) -> Timestamp { now + (self.cache.negativeMaxAge - missed) }

    /// What becomes of a copy when the upstream says that there is no such thing.
    func gone(_ kind: Kind) -> ProxyPart.Cache.Gone { kind == .document ? self.cache.goneDocuments : self.cache.goneImmutable }

    /// Bytes that cannot be out of date are served however long ago they were confirmed.
    func mayServeStale(_ kind: Kind, _ age: Duration?) -> Bool {
        guard self.cache.staleOnError else { return false }
        guard kind == .document, let bound = self.cache.maxStale else { return true }
        return (age ?? .zero) <= bound
    }
}

extension FormatError {
    /// An upstream's, or of the way to it; not an answer.
    var isTrouble: Bool {
        switch self.code {
        case .upstreamUnreachable, .upstreamTimedOut, .upstreamFailed, .unavailable, .noSpace, .quotaExceeded: true
        default: false
        }
    }
}
