/// Where work goes that blocks or computes for long: files, SQLite, hashing, JSON of unknown size, gzip, password hashes.
/// Anything beyond about 100 µs belongs here and never on an event loop.
public protocol BlockingPool: Sendable {
    /// Runs `work` on a thread of the pool and passes on what it throws. The caller's cancellation does not cut it short: clean-up
    /// after a client that hung up runs in a cancelled task.
    /// - Throws: `CancellationError` where the pool has been shut down.
    func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T
}
