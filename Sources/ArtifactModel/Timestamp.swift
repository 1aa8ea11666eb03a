/// A moment: milliseconds since 1970-01-01 UTC, as the metadata keeps it.
public struct Timestamp: Hashable, Comparable, Sendable {
    public let milliseconds: Int64
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }
    public static func + (a: Self, b: Duration) -> Self { Timestamp(milliseconds: Self.sum(a.milliseconds, b.wholeMilliseconds)) }
    public static func - (a: Self, b: Duration) -> Self { Timestamp(milliseconds: Self.difference(a.milliseconds, b.wholeMilliseconds)) }
    /// How long from `b` to `a`.
    public static func - (a: Self, b: Self) -> Duration { .milliseconds(Self.difference(a.milliseconds, b.milliseconds)) }

    // Moments come from headers of strangers too: the ends of time are as far as they go.
    private static func sum(_ a: Int64, _ b: Int64) -> Int64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? (b > 0 ? .max : .min) : sum
    }

    private static func difference(_ a: Int64, _ b: Int64) -> Int64 {
        let (difference, overflow) = a.subtractingReportingOverflow(b)
        return overflow ? (b < 0 ? .max : .min) : difference
    }
}

extension Duration {
    /// Cut to whole milliseconds, and to what `Int64` holds of them.
    public var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let (sum, more) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        return overflow || more ? (seconds < 0 ? .min : .max) : sum
    }
}

/// Time as a dependency: tests turn it by hand.
public typealias WallClock = @Sendable () -> Timestamp
