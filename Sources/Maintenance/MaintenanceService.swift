public import ServiceLifecycle

public import struct Logging.Logger

/// Runs the collector and the sweeper again and again while the server runs, and once on demand.
public struct MaintenanceService: Service {
    private let collectors: [Collector]
    private let sweeper: UploadSweeper
    private let interval: Duration
    private let logger: Logger

    public init(collectors: [Collector], sweeper: UploadSweeper, interval: Duration = .seconds(600), logger: Logger) {
        self.collectors = collectors
        self.sweeper = sweeper
        self.interval = interval
        self.logger = logger
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.round()
                // Cancelled by the shutdown: the loop ends.
                try? await Task.sleep(for: self.interval)
            }
        }
    }

    /// One failed round is told and does not stop the next: space may have come back by then.
    private func round() async {
        do {
            let freed = try await self.collect()
            let swept = try await self.sweeper.run()
            guard freed.blobs > 0 || swept > 0 else { return }
            self.logger.info("collected", metadata: ["blobs": "\(freed.blobs)", "bytes": "\(freed.bytes)", "uploads": "\(swept)"])
        } catch is CancellationError {
            return
        } catch {
            self.logger.warning("collection failed", metadata: ["cause": "\(error)"])
        }
    }

    /// Every store's unreferenced bytes.
    public func collect() async throws -> Collector.Freed {
        var freed = Collector.Freed()
        for collector in self.collectors {
            let part = try await collector.run()
            freed.blobs += part.blobs
            freed.bytes += part.bytes
        }
        return freed
    }
}
