import ArtifactModel

/// What waits to be written, within its bounds, and what was lost. Bounded: 64 Ki events, and 64 MiB of their texts; what comes beyond is lost.
struct IntakeState {
    static let mostEvents = 64 << 10
    static let mostBytes = 64 << 20

    struct Lost: Hashable, Sendable {
        var count: Int64
        var first: Timestamp
    }

    /// A mark that must be set before the segments are removed.
    struct Expired: Hashable, Sendable {
        /// The first line that stays: its number, and its segment's name.
        var mark: String
        var names: [String]
    }

    /// What there is to do.
    struct Taken {
        var lost: Lost?
        var approved: [String]
        var flushes: [CheckedContinuation<Void, Never>]
        var isEnding: Bool
    }

    var waiting: [AuditEvent] = []
    var bytes = 0
    /// The thread has been called.
    var isCalled = false
    var isEnding = false
    /// Nobody writes any more.
    var isEnded = false
    var figures = AuditFigures()
    /// Of which no line tells yet.
    var lost: Lost?
    var health = AuditHealth()
    var durable: ChainEnd?
    /// No line was written after it.
    var isWhole = false
    var expired: Expired?
    var approved: [String] = []
    var flushes: [CheckedContinuation<Void, Never>] = []

    /// - Parameter size: of its texts, in bytes.
    /// - Returns: false: there is no room, and it is lost.
    mutating func add(_ event: AuditEvent, _ size: Int) -> Bool {
        guard !self.isEnded, self.waiting.count < Self.mostEvents, self.bytes + size <= Self.mostBytes else {
            self.lose(1, since: event.time)
            return false
        }
        self.waiting.append(event)
        self.bytes += size
        return true
    }

    mutating func take(_ events: inout [AuditEvent]) -> Taken {
        swap(&self.waiting, &events)
        defer {
            self.bytes = 0
            self.isCalled = false
            self.lost = nil
            self.approved = []
            self.flushes = []
        }
        return Taken(lost: self.lost, approved: self.approved, flushes: self.flushes, isEnding: self.isEnding)
    }

    mutating func giveBack(_ events: ArraySlice<AuditEvent>) {
        // What came last is what there is no room for.
        let room = max(0, Self.mostEvents - events.count)
        self.lose(self.waiting.dropFirst(room))
        self.waiting = Array(events) + self.waiting.prefix(room)
        self.bytes = self.waiting.reduce(0) { $0 + $1.textBytes }
    }

    mutating func lose(_ events: ArraySlice<AuditEvent>) {
        if let first = events.first { self.lose(Int64(events.count), since: first.time) }
    }

    private mutating func lose(_ count: Int64, since first: Timestamp) {
        self.figures.lost += count
        self.tell(Lost(count: count, first: first))
    }

    /// A line must still say so.
    mutating func tell(_ lost: Lost) {
        let known = self.lost
        self.lost = Lost(count: lost.count + (known?.count ?? 0), first: min(lost.first, known?.first ?? lost.first))
    }
}

extension AuditEvent {
    /// About what it takes of memory beside itself.
    var textBytes: Int {
        self.request.utf8.count + self.principal.utf8.count + self.means.utf8.count + self.client.utf8.count + self.repository.utf8.count
            + self.operation.utf8.count + self.subject.utf8.count + self.digest.utf8.count + self.rule.utf8.count + self.detail.utf8.count
    }
}
