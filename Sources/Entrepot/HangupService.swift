import Logging
import ServiceLifecycle
import UnixSignals
import WebServer

/// SIGHUP: certificates are read again. Other changes of the configuration take a restart, and the log says so.
struct HangupService: Service {
    private let server: WebServer
    private let logger: Logger

    init(_ server: WebServer, _ logger: Logger) {
        self.server = server
        self.logger = logger
    }

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() {
            do {
                try await self.server.reloadTLS()
                self.logger.notice("certificates were read again; other changes of the configuration take a restart")
            } catch {
                self.logger.error("certificates could not be read; the old ones stay", metadata: ["cause": "\(error)"])
            }
        }
    }
}
