import Synchronization

/// The allowances of everyone who was seen lately, in shards with a lock each. Bounded: who is idle is forgotten, and where all are busy,
/// who has used least of theirs; a running request is never forgotten, and those are bounded by the connections.
final class AllowanceTable<Key: Hashable & Sendable>: Sendable {
    private let shards: [Shard]
    private let rule: SenderLimits

    /// - Parameter room: for so many keys, in all shards together.
    init(_ rule: SenderLimits, shards: Int = 16, room: Int = 1 << 16) {
        self.rule = rule
        self.shards = (0..<shards).map { _ in Shard(room: max(1, room / shards)) }
    }

    /// - Parameter now: in nanoseconds, and never going back by much.
    func enter(_ key: Key, now: Int64) -> Allowance.Verdict { self.shard(key).enter(key, self.rule, now) }

    /// Once for each that was admitted.
    func leave(_ key: Key) { self.shard(key).leave(key) }

    var count: Int { self.shards.reduce(0) { $0 + $1.count } }

    /// By other bits of the hash than those by which a dictionary finds its bucket.
    private func shard(_ key: Key) -> Shard { self.shards[Int(UInt(bitPattern: key.hashValue) >> 40) % self.shards.count] }

    private final class Shard: Sendable {
        private let room: Int
        private let entries = Mutex<[Key: Allowance]>([:])

        init(room: Int) { self.room = room }

        var count: Int { self.entries.withLock { $0.count } }

        func enter(_ key: Key, _ rule: SenderLimits, _ now: Int64) -> Allowance.Verdict {
            self.entries.withLock { entries in
                if entries.count >= self.room, entries[key] == nil { Self.makeRoom(in: &entries, now) }
                return entries[key, default: Allowance()].enter(rule, now: now)
            }
        }

        func leave(_ key: Key) { self.entries.withLock { $0[key]?.leave() } }

        /// Frees a quarter at least, so that it is done once for many that come; what runs stays.
        private static func makeRoom(in entries: inout [Key: Allowance], _ now: Int64) {
            let before = entries.count
            entries = entries.filter { !$0.value.isIdle(now: now) }
            let enough = before - before / 4 - 1
            guard entries.count > enough else { return }
            let bound = entries.values.map(\.spent).sorted()[entries.count - enough - 1]
            entries = entries.filter { $0.value.running > 0 || $0.value.spent > bound }
        }
    }
}
