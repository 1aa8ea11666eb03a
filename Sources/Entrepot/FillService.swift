import RepositoryEngine
import ServiceLifecycle

/// Downloads run as long as the server does: it is stopped before them, so that no client waits for one that has ended.
struct FillService: Service {
    let fills: Fills

    func run() async throws {
        await withGracefulShutdownHandler {
            await self.fills.run()
        } onGracefulShutdown: {
            self.fills.drain()
        }
    }
}
