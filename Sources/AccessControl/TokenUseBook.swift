import ArtifactModel
public import Logging
public import ServiceLifecycle
import StorageAPI
import Synchronization

/// When tokens were used last, kept in memory and written behind: at most once a minute for each.
final class TokenUseBook: Sendable {
    static let mostWaiting = 65_536
    private let uses = Mutex<[Int64: TokenUse]>([:])

    func note(_ token: Int64, at moment: Timestamp, from client: String) {
        self.uses.withLock { uses in
            // The first within a minute is as good as the last.
            if uses[token] != nil || uses.count >= Self.mostWaiting { return }
            uses[token] = TokenUse(token: token, at: moment, address: client)
        }
    }

    func take() -> [TokenUse] {
        self.uses.withLock { uses in
            defer { uses = [:] }
            return Array(uses.values)
        }
    }
}

/// Writes down when tokens were used, and keeps the signing keys young.
public struct AccessService: Service {
    private let gate: AccessGate
    private let logger: Logger

    public init(_ gate: AccessGate, logger: Logger) {
        self.gate = gate
        self.logger = logger
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var rounds = 0
            while !Task.isCancelled {
                do { try await Task.sleep(for: .seconds(60)) } catch { break }
                rounds += 1
                await self.write()
                if rounds % 10 == 0 { await self.refresh() }
            }
        }
        await self.write()
    }

    private func write() async {
        do { try await self.gate.tokens.note(self.gate.uses.take()) } catch {
            self.logger.warning("when tokens were used could not be written down", metadata: ["cause": "\(error)"])
        }
    }

    private func refresh() async {
        do { try await self.gate.prepare() } catch {
            self.logger.error("the signing keys could not be read; those that are known go on to count", metadata: ["cause": "\(error)"])
        }
    }
}
