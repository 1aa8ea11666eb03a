public import ArtifactModel
import FormatAPI
import Synchronization

public import struct Logging.Logger

/// Owns every download. `run` is one task group, whose children are the transfers and what follows them; nobody else starts a task for a
/// download, so that none outlives the server and none ends with a client that hangs up.
public final class Fills: FillWork {
    typealias Job = @Sendable () async -> Void

    private struct Table {
        var fills: [Fill.Key: Fill] = [:]
        var isDraining = false
    }

    /// Fills without a reader that go on, for each repository.
    static let mostAbandoned = 8
    /// How long a file that is there in parts only is kept for its next reader.
    static let patience: Duration = .seconds(600)
    private static let mostIdle = 256
    private static let mostJobs = 4096

    let compute: any BlockingPool
    public let times = FillTimes()
    let logger: Logger
    private let table = Mutex(Table())
    private let jobs: AsyncStream<Job>
    private let queue: AsyncStream<Job>.Continuation

    public init(compute: any BlockingPool, logger: Logger) {
        self.compute = compute
        self.logger = logger
        (self.jobs, self.queue) = AsyncStream.makeStream(of: Job.self, bufferingPolicy: .bufferingOldest(Self.mostJobs))
    }

    /// Runs until the task is cancelled or `drain` is called; then the transfers that are left are cancelled.
    /// - Parameter executors: where the transfers run, by turns; none: the process' own.
    public func run(on executors: [any TaskExecutor] = []) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.sweepAgainAndAgain() }
            await self.runJobs(on: executors)
            group.cancelAll()
        }
        self.drain()
    }

    /// Until the queue is finished and every job has ended: the transfers are stopped, what is whole is committed, and the rest is removed.
    private func runJobs(on executors: [any TaskExecutor]) async {
        await withDiscardingTaskGroup { group in
            var turn = 0
            for await job in self.jobs {
                group.addTask(executorPreference: executors.isEmpty ? nil : executors[turn % executors.count]) { await job() }
                turn &+= 1
            }
        }
    }

    /// No new downloads from now on; `run` returns.
    public func drain() {
        let left = self.table.withLock { table in
            table.isDraining = true
            return Array(table.fills.values)
        }
        // Before the queue ends, so that what removes their files is still run. What is whole already is committed.
        for fill in left where !fill.state.withLock({ $0.machine.isEnding }) { fill.decide { $0.fail(.shutDown) } }
        self.queue.finish()
    }

    func start(_ job: @escaping Job) -> Bool {
        if case .enqueued = self.queue.yield(job) { return true }
        return false
    }

    /// The running fill of the key, or a new one; the caller is counted as a reader, and must leave.
    func enter(_ key: Fill.Key, _ make: () -> Fill) -> (fill: Fill, isNew: Bool) {
        defer { self.bound() }
        return self.table.withLock { table in
            if let fill = table.fills[key], !fill.state.withLock({ $0.machine.isOver }) {
                fill.enter()
                return (fill, false)
            }
            let fill = make()
            fill.enter()
            table.fills[key] = fill
            return (fill, true)
        }
    }

    /// Each holds an open file, and disk that no quota counts: of too many that only wait for a reader, those that nobody asked for longest go.
    private func bound() {
        let idle = self.table.withLock { table -> [Fill] in
            guard table.fills.count > Self.mostIdle else { return [] }
            let idle = table.fills.values.filter { $0.state.withLock { $0.isIdle } }
            let oldest = idle.sorted { $0.state.withLock { $0.touched } < $1.state.withLock { $0.touched } }
            return Array(oldest.prefix(max(0, table.fills.count - Self.mostIdle)))
        }
        for fill in idle { fill.letGo() }
    }

    /// One that runs, for a HEAD that need not ask.
    func running(_ key: Fill.Key) -> Fill? {
        self.table.withLock { $0.fills[key] }.flatMap { $0.state.withLock { $0.machine.isOver } ? nil : $0 }
    }

    func ended(_ fill: Fill) {
        self.table.withLock { table in
            if table.fills[fill.key] === fill { table.fills[fill.key] = nil }
        }
    }

    /// The newest of too many goes: the others have come further.
    func abandoned(_ fill: Fill) {
        // Under the table's lock nobody enters.
        self.table.withLock { table in
            let alone = table.fills.values.filter { other in
                other.key.repository == fill.key.repository && other.state.withLock { $0.readers == 0 && !$0.machine.transfers.isEmpty }
            }
            guard alone.count > Self.mostAbandoned, alone.contains(where: { $0 === fill }) else { return }
            fill.decide { $0.fail(.shutDown) }
        }
    }

    /// Returns when nothing is on its way to be kept.
    public func settled() async {
        while !Task.isCancelled,
            self.table.withLock({ $0.fills.values.contains { $0.state.withLock { !$0.machine.transfers.isEmpty || $0.machine.isEnding } } })
        {
            // Cancelled by the end of whoever waits: the loop ends.
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    public var count: Int { self.table.withLock { $0.fills.count } }

    private func sweepAgainAndAgain() async {
        while !Task.isCancelled {
            // Cancelled by the end of the server: the loop ends.
            try? await Task.sleep(for: .seconds(30))
            self.sweep(now: .now)
        }
    }

    /// Lets go of what is there in parts, that nobody reads and nothing fills.
    func sweep(now: ContinuousClock.Instant) {
        for fill in self.table.withLock({ Array($0.fills.values) }) {
            if fill.state.withLock({ $0.isIdle && now - $0.touched > Self.patience }) { fill.letGo() }
        }
    }
}

extension Fill {
    /// Ends it where it is still idle; a reader that has come meanwhile asks anew.
    func letGo() {
        guard self.state.withLock({ $0.isIdle }) else { return }
        self.decide { $0.fail(.superseded) }
    }

    /// The owner forgets it; who reads it still has it.
    func finish() { self.owner.ended(self) }
}
