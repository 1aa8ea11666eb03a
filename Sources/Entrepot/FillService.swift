import RepositoryEngine
import ServiceLifecycle

/// Downloads run as long as the server does: it is stopped before them, so that no client waits for one that has ended.
struct FillService: Service {
    let fills: Fills
    /// Nothing of a download blocks: on event loops its bytes meet no other thread but the pools that write and hash.
    let executors: [any TaskExecutor]

    func run() async throws {
        await withGracefulShutdownHandler {
            await self.fills.run(on: self.executors)
        } onGracefulShutdown: {
            self.fills.drain()
        }
    }
}

extension Assembly {
    /// Runs `work` with downloads, where no server runs them.
    func downloading<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.contents.fills.run() }
            defer { group.cancelAll() }
            let value = try await work()
            // What was fetched last is still being committed.
            await self.contents.fills.settled()
            return value
        }
    }
}
