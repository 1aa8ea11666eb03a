import Synchronization

/// One upstream's bandwidth, shared by all its answers.
final class Pace: Sendable {
    /// Whose time counts.
    struct Time: Sendable {
        /// Since any fixed moment; never goes back.
        var now: @Sendable () -> Duration
        /// - Throws: `CancellationError`.
        var sleep: @Sendable (Duration) async throws -> Void

        static var real: Time {
            let begin = ContinuousClock.now
            return Time(now: { ContinuousClock.now - begin }, sleep: { try await Task.sleep(for: $0) })
        }
    }

    private let bucket: Mutex<TokenBucket>
    private let time: Time

    init(rate: Int64, time: Time) {
        self.bucket = Mutex(TokenBucket(rate: rate))
        self.time = time
    }

    /// - Returns: how long to sleep before more is taken.
    func take(_ bytes: Int) -> Duration {
        let now = self.time.now()
        return self.bucket.withLock { $0.take(bytes, now: now) }
    }

    func sleep(_ duration: Duration) async throws { try await self.time.sleep(duration) }
}
