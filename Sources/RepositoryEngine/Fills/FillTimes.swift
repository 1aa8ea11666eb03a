import Synchronization

/// How long after a byte's arrival it was written to a client: counts in fixed buckets, since the server's start.
public final class FillTimes: Sendable {
    /// In milliseconds, exclusive.
    public static let bounds: [Int64] = [1, 2, 5, 10, 20, 50, 100, 250, 1000, 5000]

    public struct Counts: Sendable {
        /// One for each bound, and one for what is beyond; not cumulative.
        public var buckets = [Int64](repeating: 0, count: FillTimes.bounds.count + 1)
        /// In seconds.
        public var sum = 0.0
    }

    private let counts = Mutex(Counts())

    public init() {}

    public var now: Counts { self.counts.withLock { $0 } }

    func add(_ time: Duration) {
        let milliseconds = time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000
        self.counts.withLock { counts in
            counts.buckets[Self.bounds.firstIndex { milliseconds < $0 } ?? Self.bounds.count] += 1
            counts.sum += Double(milliseconds) / 1000
        }
    }
}
