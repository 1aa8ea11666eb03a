public import ArtifactModel
public import RepositoryEngine
public import ServiceLifecycle
public import StorageAPI

public import struct Logging.Logger

/// Writes down what is used: every minute what is due, sooner where much is, and all of it when the server ends.
public struct UsageService: Service {
    private let book: UsageBook
    private let ledger: any UsageLedger
    private let now: WallClock
    private let interval: Duration
    private let logger: Logger

    public init(_ book: UsageBook, ledger: any UsageLedger, interval: Duration = .seconds(60), now: @escaping WallClock, logger: Logger) {
        self.book = book
        self.ledger = ledger
        self.interval = interval
        self.now = now
        self.logger = logger
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    // Cancelled by the shutdown, a sleep throws: the loop ends.
                    while (try? await Task.sleep(for: self.interval)) != nil { await self.flush() }
                }
                for await _ in self.book.isFilling { await self.flush() }
                group.cancelAll()
            }
        }
        // Nothing is cancelled out here: the last of it is written.
        await self.flush(everything: true)
    }

    /// What could not be written is tried again the next time.
    private func flush(everything: Bool = false) async {
        do {
            try await self.book.flush(to: self.ledger, now: self.now(), everything: everything)
        } catch {
            // Cut off by the shutdown: it is written at the end.
            if Task.isCancelled { return }
            self.logger.warning("usage was not written", metadata: ["cause": "\(error)"])
        }
    }
}
