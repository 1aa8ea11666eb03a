/// Whether the trail can be written, and what the log hears of it: each change, and every minute that it cannot. Decides; others log.
struct AuditHealth: Sendable {
    static let reminder: Duration = .seconds(60)

    enum Notice: Hashable, Sendable {
        case failing(reason: String, cause: String)
        case recovered
    }

    /// What the last attempt failed of.
    private(set) var failure: AuditError?
    /// More came than was written.
    private(set) var isOverflowing = false
    private var said: ContinuousClock.Instant?

    var isFailing: Bool { self.failure != nil || self.isOverflowing }

    /// For people; names no path. nil: all is well.
    var reason: String? { self.failure?.message ?? (self.isOverflowing ? "more happens than its disk takes" : nil) }

    mutating func failed(_ error: AuditError, at instant: ContinuousClock.Instant) -> Notice? {
        let isNews = self.failure?.message != error.message
        self.failure = error
        return isNews ? self.say(at: instant) : self.remind(at: instant)
    }

    mutating func overflowed(at instant: ContinuousClock.Instant) -> Notice? {
        if self.isOverflowing { return nil }
        self.isOverflowing = true
        return self.failure == nil ? self.say(at: instant) : nil
    }

    /// All that waited is written.
    mutating func worked() -> Notice? {
        guard self.isFailing else { return nil }
        self = AuditHealth()
        return .recovered
    }

    mutating func remind(at instant: ContinuousClock.Instant) -> Notice? {
        guard self.isFailing, let said = self.said, instant - said >= Self.reminder else { return nil }
        return self.say(at: instant)
    }

    private mutating func say(at instant: ContinuousClock.Instant) -> Notice? {
        self.said = instant
        return self.reason.map { .failing(reason: $0, cause: self.failure?.cause ?? "") }
    }
}
