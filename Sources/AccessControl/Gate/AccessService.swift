import ArtifactModel
public import ServiceLifecycle
import StorageAPI

public import struct Logging.Logger

/// Once a minute: writes down when tokens were used, reads the keys that others made and makes the next where one is due; when the server ends,
/// writes down the rest.
public struct AccessService: Service {
    private let gate: AccessGate
    private let interval: Duration
    private let logger: Logger

    public init(_ gate: AccessGate, interval: Duration = .seconds(60), logger: Logger) {
        self.gate = gate
        self.interval = interval
        self.logger = logger
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            // Cancelled by the shutdown, a sleep throws: the loop ends.
            while (try? await Task.sleep(for: self.interval)) != nil {
                await self.flush()
                await self.renewKeys()
            }
        }
        // Nothing is cancelled out here: the last of it is written.
        await self.flush()
    }

    private func flush() async {
        do {
            try await self.gate.uses.flush(to: self.gate.ledger, now: self.gate.time.now())
        } catch {
            // Cut off by the shutdown: it is written at the end.
            if error.code == .cancelled { return }
            self.logger.warning("uses of tokens were not written", metadata: ["cause": "\(error)"])
        }
    }

    private func renewKeys() async {
        do {
            for purpose in try await self.gate.keys.renew(now: self.gate.time.now()) {
                self.logger.info("a new signing key is in use", metadata: ["purpose": "\(purpose.rawValue)"])
            }
        } catch {
            if error.code == .cancelled { return }
            self.logger.warning("signing keys were not renewed", metadata: ["cause": "\(error)"])
        }
    }
}
