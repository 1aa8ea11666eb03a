import Synchronization

/// What an upstream has been asked and has given, since the start.
public struct UpstreamFigures: Hashable, Sendable {
    /// By what became of them: `ok`, `notModified`, `absent`, `cancelled`, and the names of troubles.
    public var requests: [String: Int64] = [:]
    /// Of bodies.
    public var bytes: Int64 = 0
    public init() {}
}

final class FigureBook: Sendable {
    private let figures = Mutex(UpstreamFigures())

    var now: UpstreamFigures { self.figures.withLock { $0 } }
    func count(_ outcome: String) { self.figures.withLock { $0.requests[outcome, default: 0] += 1 } }
    func add(bytes: Int) { self.figures.withLock { $0.bytes += Int64(bytes) } }
}
