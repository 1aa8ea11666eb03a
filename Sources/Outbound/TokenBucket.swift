/// Spreads bytes over time. Bytes are taken after they came, so that it may go into debt; who took them waits until the debt is paid.
/// A value: the caller says what time it is.
public struct TokenBucket: Hashable, Sendable {
    /// In bytes per second.
    public let rate: Int64
    /// How many bytes may come at once after a pause.
    public let burst: Int64
    private var level: Double
    private var filled: Duration?

    public init(rate: Int64, burst: Int64? = nil) {
        self.rate = max(1, rate)
        self.burst = max(1, burst ?? min(rate, 256 << 10))
        self.level = Double(self.burst)
    }

    /// - Parameter now: since any fixed moment; never goes back.
    /// - Returns: how long to wait before the next bytes are taken.
    public mutating func take(_ bytes: Int, now: Duration) -> Duration {
        if let filled, now > filled { self.level = min(Double(self.burst), self.level + (now - filled) / .seconds(1) * Double(self.rate)) }
        self.filled = max(now, self.filled ?? now)
        self.level -= Double(bytes)
        return self.level >= 0 ? .zero : .seconds(-self.level / Double(self.rate))
    }
}
