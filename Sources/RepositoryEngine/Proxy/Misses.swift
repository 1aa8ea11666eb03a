import ArtifactModel
import Synchronization

/// What upstreams have said they do not have, and when. In memory, bounded: the oldest go first.
final class Misses: Sendable {
    private let times: Mutex<LeastRecentlyUsed<Refreshes.Key, Timestamp>>

    init(capacity: Int = 10_000) { self.times = Mutex(LeastRecentlyUsed(capacity: capacity)) }

    func add(_ key: Refreshes.Key, at time: Timestamp) { self.times.withLock { $0.insert(time, for: key) } }
    func remove(_ key: Refreshes.Key) { self.times.withLock { $0.remove(key) } }
    /// The operator wants the upstream asked again.
    func removeAll() { self.times.withLock { $0.removeAll() } }
    /// nil: it was not asked for, or has it.
    func age(of key: Refreshes.Key, now: Timestamp) -> Duration? { self.times.withLock { $0.value(of: key) }.map { now - $0 } }
}
