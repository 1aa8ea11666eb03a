import RepositoryEngine
import Synchronization

/// Counts what goes to an upstream and comes from it.
final class FigureBook: Sendable {
    private let figures = Mutex(UpstreamFigures())

    var now: UpstreamFigures { self.figures.withLock { $0 } }
    func count(_ outcome: String) { self.figures.withLock { $0.requests[outcome, default: 0] += 1 } }
    func add(bytes: Int) { self.figures.withLock { $0.bytes += Int64(bytes) } }
}
