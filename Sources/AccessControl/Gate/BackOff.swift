/// Who has to wait before the next attempt at a password.
///
/// For each account and client: five failures are free; then each is followed by a wait of 1 s, 2 s, 4 s, … 5 min, after which one attempt is let
/// through at a time. A success, or 15 minutes without a failure, forgets them. Attempts that are under way count as failures for as long, so that
/// a thousand at once are not a thousand free ones. For each client, whatever the accounts: after 100 wrong passwords within five
/// minutes, one attempt a second is let through until these are over; accounts whose right password came from there within a day do not wait for that, so
/// that who shares an address with an attacker goes on to get in.
///
/// Bounded. Nobody pushes out what another has earned: where the table is full, the pair with the fewest failures goes, the one that has been
/// quiet longest first, and a client has 64 pairs at most, of which its own go before others'. So who would have a pair of n failures forgotten
/// must bring up as many pairs as the table has, each with n failures, and each of these was a password that had to be hashed and waited for.
///
/// Time is that of a clock that never goes back.
struct BackOff: Sendable {
    struct Pair: Hashable, Sendable {
        /// nil: no account was named, or nothing that could be one.
        var account: AccountName?
        var client: ClientBlock
    }

    private struct Record: Sendable {
        var failures = 0
        /// Attempts under way.
        var pending = 0
        var heldUntil = Duration.zero
        /// The last failure.
        var last: Duration
    }
    private struct Spray: Sendable {
        var failures = 0
        var began: Duration
        /// When the next attempt may begin.
        var next = Duration.zero
    }

    static let free = 5
    static let longest = Duration.seconds(300)
    static let memory = Duration.seconds(900)
    static let sprayed = 100
    static let sprayMemory = Duration.seconds(300)
    static let acquaintance = Duration.seconds(86_400)

    let capacity: Int
    let pairsOfOne: Int
    private var records: [Pair: Record] = [:]
    private var sprays: [ClientBlock: Spray] = [:]
    /// When the right password of an account last came from a client.
    private var known: [Pair: Duration] = [:]

    init(capacity: Int = 8192, pairsOfOne: Int = 64) {
        self.capacity = capacity
        self.pairsOfOne = pairsOfOne
    }

    /// How many pairs are known.
    var count: Int { self.records.count }

    /// Begins an attempt, which one of `succeeded`, `failed` and `abandoned` ends.
    /// - Returns: how long to wait before one may begin; nil: it has begun.
    mutating func attempt(_ pair: Pair, at now: Duration) -> Duration? {
        if let wait = self.hold(on: pair, at: now) { return wait }
        let record = self.records[pair] ?? Record(last: now)
        if record.pending > 0, record.failures + record.pending > Self.free { return .seconds(1) }
        if let spray = self.sprays[pair.client], spray.failures >= Self.sprayed { self.sprays[pair.client]?.next = now + .seconds(1) }
        if self.records[pair] == nil { self.makeRoom(for: pair, at: now) }
        self.records[pair, default: record].pending += 1
        return nil
    }

    /// How long attempts of the pair are held up; nil: they are not.
    mutating func hold(on pair: Pair, at now: Duration) -> Duration? {
        if let spray = self.sprays[pair.client] {
            let end = spray.began + Self.sprayMemory
            if end <= now {
                self.sprays[pair.client] = nil
            } else if spray.failures >= Self.sprayed, spray.next > now, !self.isKnown(pair, at: now) {
                return spray.next - now
            }
        }
        guard let record = self.records[pair] else { return nil }
        if record.last + Self.memory <= now, record.pending == 0 {
            self.records[pair] = nil
            return nil
        }
        return record.heldUntil > now ? record.heldUntil - now : nil
    }

    private func isKnown(_ pair: Pair, at now: Duration) -> Bool { self.known[pair].map { $0 + Self.acquaintance > now } ?? false }

    mutating func succeeded(_ pair: Pair, at now: Duration) {
        if self.known.count >= self.capacity, self.known[pair] == nil, let oldest = self.known.min(by: { $0.value < $1.value }) {
            self.known[oldest.key] = nil
        }
        self.known[pair] = now
        guard let record = self.records[pair] else { return }
        self.records[pair] = record.pending > 1 ? Record(pending: record.pending - 1, last: record.last) : nil
    }

    /// It came to nothing: too many passwords were waiting, or its client hung up.
    mutating func abandoned(_ pair: Pair) {
        guard var record = self.records[pair] else { return }
        record.pending = max(0, record.pending - 1)
        self.records[pair] = record.pending == 0 && record.failures == 0 ? nil : record
    }

    mutating func failed(_ pair: Pair, at now: Duration) {
        self.abandoned(pair)
        self.noteFailure(pair, at: now)
        self.noteSpray(pair.client, at: now)
    }

    /// A failure of something that is not held up, and so was never begun: a token that is none.
    mutating func noteFailure(_ pair: Pair, at now: Duration) {
        if let record = self.records[pair], record.last + Self.memory <= now, record.pending == 0 { self.records[pair] = nil }
        if self.records[pair] == nil { self.makeRoom(for: pair, at: now) }
        var record = self.records[pair] ?? Record(last: now)
        record.failures += 1
        record.last = now
        if record.failures > Self.free {
            record.heldUntil = now + min(Self.longest, .seconds(1 << min(record.failures - Self.free - 1, 16)))
        }
        self.records[pair] = record
    }

    private mutating func noteSpray(_ client: ClientBlock, at now: Duration) {
        if let spray = self.sprays[client], spray.began + Self.sprayMemory > now {
            self.sprays[client]?.failures += 1
            return
        }
        if self.sprays[client] == nil, self.sprays.count >= self.capacity {
            self.sprays = self.sprays.filter { $0.value.began + Self.sprayMemory > now }
            let weakest =
                self.sprays.count < self.capacity ? nil : self.sprays.min { ($0.value.failures, $0.value.began) < ($1.value.failures, $1.value.began) }
            if let weakest { self.sprays[weakest.key] = nil }
        }
        self.sprays[client] = Spray(failures: 1, began: now)
    }

    /// Looks at every pair, which takes some microseconds for each hundred: the attempt that is to come takes a thousand times as long.
    private mutating func makeRoom(for pair: Pair, at now: Duration) {
        let own = self.records.filter { $0.key.client == pair.client }
        if own.count >= self.pairsOfOne { self.removeWeakest(of: own) }
        guard self.records.count >= self.capacity else { return }
        self.records = self.records.filter { $0.value.last + Self.memory > now || $0.value.pending > 0 }
        if self.records.count >= self.capacity { self.removeWeakest(of: self.records) }
    }

    private mutating func removeWeakest(of records: [Pair: Record]) {
        let weakest = records.filter { $0.value.pending == 0 }.min { ($0.value.failures, $0.value.last) < ($1.value.failures, $1.value.last) }
        if let weakest { self.records[weakest.key] = nil }
    }
}
