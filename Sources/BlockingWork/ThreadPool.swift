public import ArtifactModel
import NIOPosix

/// A fixed number of threads for blocking work.
public struct ThreadPool: BlockingPool {
    private let pool: NIOThreadPool

    /// Starts `threads` threads; `shutdown` ends them.
    public init(threads: Int) {
        self.pool = NIOThreadPool(numberOfThreads: threads)
        self.pool.start()
    }

    public func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await self.pool.runIfActive(work)
    }

    /// Waits for what is running; what is queued throws `CancellationError`.
    public func shutdown() async throws { try await self.pool.shutdownGracefully() }
}
