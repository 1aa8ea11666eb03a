public import ArtifactModel

/// Both clocks that access control goes by: tests turn them by hand.
public struct AccessTime: Sendable {
    public var now: WallClock
    /// Never goes back, whatever is done to the other.
    public var uptime: @Sendable () -> Duration

    public init(now: @escaping WallClock, uptime: @escaping @Sendable () -> Duration) {
        self.now = now
        self.uptime = uptime
    }

    public init(now: @escaping WallClock) {
        let start = ContinuousClock.now
        self.init(now: now, uptime: { ContinuousClock.now - start })
    }
}
