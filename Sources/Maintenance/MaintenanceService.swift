import ArtifactModel
import RepositoryEngine
public import ServiceLifecycle

public import struct Logging.Logger

/// Runs the collector and the sweeper again and again while the server runs, and once on demand.
public struct MaintenanceService: Service {
    private let collectors: [Collector]
    private let sweeper: UploadSweeper
    private let parts: PartSweeper
    private let evictor: Evictor?
    private let replenish: @Sendable () async throws -> Bool
    private let interval: Duration
    private let logger: Logger

    /// - Parameter replenish: sets space aside again that was given away on a full disk, where there is room; whether it is there.
    public init(
        collectors: [Collector], sweeper: UploadSweeper, parts: PartSweeper, evictor: Evictor? = nil, interval: Duration = .seconds(600), logger: Logger,
        replenish: @escaping @Sendable () async throws -> Bool = { true }
    ) {
        self.collectors = collectors
        self.sweeper = sweeper
        self.parts = parts
        self.evictor = evictor
        self.replenish = replenish
        self.interval = interval
        self.logger = logger
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.evictAsCachesFill() }
                while !Task.isCancelled {
                    await self.round()
                    // Cancelled by the shutdown: the loop ends.
                    try? await Task.sleep(for: self.interval)
                }
                group.cancelAll()
            }
        }
    }

    /// A cache that passes its bound does not wait for the next round, and neither does the space.
    private func evictAsCachesFill() async {
        guard let evictor else { return }
        for await repository in evictor.meter.overflows {
            guard await self.evict(from: repository, evictor), let store = evictor.grounds[repository]?.repository.shelf.id else { continue }
            await self.collect { $0.store == store }
        }
    }

    /// - Returns: whether something went.
    @discardableResult
    private func evict(from repository: RepositoryID, _ evictor: Evictor) async -> Bool {
        var gone = Evictor.Figures()
        let name = evictor.grounds[repository].map { "\($0.repository.name)" } ?? ""
        await self.attempt("eviction") {
            gone = try await evictor.run(repository)
            guard gone != Evictor.Figures() else { return nil }
            return ["repository": "\(name)", "components": "\(gone.components)", "files": "\(gone.files)", "bytes": "\(gone.bytes)"]
        }
        return gone != Evictor.Figures()
    }

    private func collect(where isMeant: (Collector) -> Bool) async {
        for collector in self.collectors where isMeant(collector) {
            await self.attempt("collection") {
                let freed = try await collector.run()
                return freed.blobs > 0 ? ["blobs": "\(freed.blobs)", "bytes": "\(freed.bytes)"] : nil
            }
        }
    }

    /// A failure is told and stops neither the rest of the round nor the next one: space may have come back by then.
    private func round() async {
        await self.attempt("reserve") {
            if try await !self.replenish() { self.logger.warning("\(Self.noReserve)") }
            return nil
        }
        await self.attempt("sweep of unused parts") {
            let removed = try await self.parts.run(onlyDue: true)
            return removed > 0 ? ["parts": "\(removed)"] : nil
        }
        if let evictor { for repository in evictor.repositories { await self.evict(from: repository.id, evictor) } }
        await self.collect { _ in true }
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

    public static let noReserve =
        "the disk of the data folder has no room for the reserve that deletes need when it is full: free space, or delete what is not needed"

    /// What nothing uses: parts first, then every store's unreferenced bytes, which are tried whatever came of the parts.
    /// - Parameter tell: how far it came, over all stores, after each slice of a store.
    public func collect(progress tell: @Sendable (Collector.Progress) -> Void = { _ in }) async throws -> Collector.Freed {
        var sum = Collector.Progress()
        let parts: Result<Int, any Error>
        do { parts = .success(try await self.parts.run()) } catch { parts = .failure(error) }
        if case .success(let count) = parts { sum.freed.parts = count }
        var failure: (any Error)?
        for collector in self.collectors {
            let before = sum
            do {
                let freed = try await collector.run { progress in
                    sum.slices = before.slices + progress.slices
                    var told = sum
                    told.freed += progress.freed
                    tell(told)
                }
                sum.freed += freed
            } catch {
                // One store that will not must not keep the others.
                failure = failure ?? error
            }
        }
        _ = try parts.get()
        if let failure { throw failure }
        if sum.freed.parts > 0 { self.logger.info("maintenance removed", metadata: ["parts": "\(sum.freed.parts)"]) }
        return sum.freed
    }
}
