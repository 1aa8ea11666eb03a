/// A moment: milliseconds since 1970-01-01 UTC, as the metadata keeps it.
public struct Timestamp: Hashable, Comparable, Sendable {
    public let milliseconds: Int64
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }
    public static func + (a: Self, b: Duration) -> Self { Timestamp(milliseconds: a.milliseconds + b.wholeMilliseconds) }
    public static func - (a: Self, b: Duration) -> Self { Timestamp(milliseconds: a.milliseconds - b.wholeMilliseconds) }
    /// How long from `b` to `a`.
    public static func - (a: Self, b: Self) -> Duration { .milliseconds(a.milliseconds - b.milliseconds) }
}

extension Duration {
    /// Cut to whole milliseconds.
    public var wholeMilliseconds: Int64 { self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000 }
}

/// Time as a dependency: tests turn it by hand.
public typealias WallClock = @Sendable () -> Timestamp
