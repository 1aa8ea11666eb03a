/// How long a pair of an account and an address waits after failures: an attacker locks out neither the account elsewhere nor others at their
/// address. Five failures are free; then a second, two, four, up to five minutes; forgotten after a success or a quiet quarter of an hour.
struct BackOff: Sendable {
    struct Pair: Hashable, Sendable {
        var account: String
        /// An address; of IPv6 its /64.
        var place: String

        init(account: String, client: String) {
            self.account = account
            self.place = Self.place(client)
        }

        private static func place(_ client: String) -> String {
            guard client.contains(":"), !client.hasPrefix("::ffff:") else { return client }
            let head = client.prefix { $0 != "%" }
            // What an interface makes up by itself is in the last four of eight parts; `::` stands for zeros.
            let sides = head.split(separator: "::", omittingEmptySubsequences: false)
            let left = sides[0].split(separator: ":").map(String.init)
            guard sides.count == 2, left.count < 4 else { return left.prefix(4).joined(separator: ":") }
            let right = sides[1].split(separator: ":").map(String.init)
            let zeros = max(0, 8 - left.count - right.count)
            return (left + Array(repeating: "0", count: zeros) + right).prefix(4).joined(separator: ":")
        }
    }

    private struct Entry: Sendable {
        var failures = 0
        var last: Duration
        var until: Duration
    }

    static let free = 5
    static let longest = Duration.seconds(300)
    static let quiet = Duration.seconds(900)

    private let capacity: Int
    private var entries: [Pair: Entry] = [:]

    init(capacity: Int = 8192) { self.capacity = capacity }

    /// nil: it may try.
    func delay(_ pair: Pair, now: Duration) -> Duration? {
        guard let entry = self.entries[pair], entry.until > now else { return nil }
        return entry.until - now
    }

    mutating func failed(_ pair: Pair, now: Duration) {
        var entry = self.entries[pair].flatMap { now - $0.last > Self.quiet ? nil : $0 } ?? Entry(last: now, until: .zero)
        entry.failures += 1
        entry.last = now
        let over = entry.failures - Self.free
        if over >= 0 { entry.until = now + min(.seconds(1 << min(over, 9)), Self.longest) }
        if self.entries[pair] == nil, self.entries.count >= self.capacity { self.makeRoom(now) }
        self.entries[pair] = entry
    }

    mutating func succeeded(_ pair: Pair) { self.entries[pair] = nil }

    var count: Int { self.entries.count }

    /// What is forgotten anyway; else those with the fewest failures, so that strangers who come once drive out none that is waiting.
    private mutating func makeRoom(_ now: Duration) {
        self.entries = self.entries.filter { now - $0.value.last <= Self.quiet }
        guard self.entries.count >= self.capacity else { return }
        let least = self.entries.sorted { ($0.value.failures, $0.value.last) < ($1.value.failures, $1.value.last) }.prefix(max(1, self.capacity / 8))
        for (pair, _) in least { self.entries[pair] = nil }
    }
}
