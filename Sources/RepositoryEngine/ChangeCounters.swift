import ArtifactModel
import StorageAPI
import Synchronization

/// How often what is known of each repository has changed, as far as this process has seen. For answers that are given again: a mark is taken before
/// anything is read, and what was read then is right as long as the mark holds.
public final class ChangeCounters: Sendable {
    final class Counter: Sendable {
        let changes = Atomic<UInt64>(0)
        func raise() { self.changes.wrappingAdd(1, ordering: .acquiringAndReleasing) }
    }

    struct Mark: Sendable {
        fileprivate let counter: Counter
        fileprivate let changes: UInt64
        var count: UInt64 { self.changes }
        var holds: Bool { self.counter.changes.load(ordering: .acquiring) == self.changes }
    }

    private let all = Counter()
    private let counters = Mutex<[RepositoryID: Counter]>([:])

    init() {}

    func marks(of repositories: [RepositoryID]) -> [Mark] {
        let counters = self.counters.withLock { counters in
            repositories.map { repository in
                if let counter = counters[repository] { return counter }
                let counter = Counter()
                counters[repository] = counter
                return counter
            }
        }
        return ([self.all] + counters).map { Mark(counter: $0, changes: $0.changes.load(ordering: .acquiring)) }
    }

    /// After the change, and before whoever made it is told.
    func raise(_ repository: RepositoryID) { self.counters.withLock { $0[repository] }?.raise() }
    /// Of any of them.
    func raiseAll() { self.all.raise() }
}

extension [ChangeCounters.Mark] {
    /// How often anything has changed, all of them together: it only grows.
    var sum: UInt64 { self.reduce(0) { $0 &+ $1.count } }
}
