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

    /// A failure is told and stops neither the rest of the round nor the next one: space may have come back by then.
    private func round() async {
        for collector in self.collectors {
            await self.attempt("collection") {
                let freed = try await collector.run()
                return freed.blobs > 0 ? ["blobs": "\(freed.blobs)", "bytes": "\(freed.bytes)"] : nil
            }
        }
        await self.attempt("sweep of uploads") {
            let swept = try await self.sweeper.run()
            return swept > 0 ? ["uploads": "\(swept)"] : nil
        }
    }

    private func attempt(_ name: String, _ work: () async throws -> Logger.Metadata?) async {
        do {
            if let figures = try await work() { self.logger.info("maintenance removed", metadata: figures) }
        } catch  where !Task.isCancelled {
            self.logger.warning("maintenance failed", metadata: ["work": "\(name)", "cause": "\(error)"])
        } catch {
            // The server ends; the next start goes on.
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
