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

    // Not NIO's own async call, which looks at the task's cancellation: what cleans up after a client that hung up runs in a cancelled task.
    public func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            self.pool.submit { state in
                switch state {
                case .active: continuation.resume(with: Result { try work() })
                case .cancelled: continuation.resume(throwing: CancellationError())
                }
            }
        }
    }

    /// Waits for what is running; what is queued throws `CancellationError`.
    public func shutdown() async throws { try await self.pool.shutdownGracefully() }
}
