import ArtifactModel
import BlockingWork
import FormatAPI
import HTTPTypes
import Logging
import NIOCore
import NIOPosix
import Outbound
import RepositoryEngine
import Synchronization
import Testing

@testable import Upstream

/// A clock that is turned by hand.
final class HandClock: Sendable {
    private let moment = Mutex(Timestamp(milliseconds: 1_700_000_000_000))
    var now: Timestamp { self.moment.withLock { $0 } }
    func advance(_ duration: Duration) { self.moment.withLock { $0 = $0 + duration } }
}

enum Fixture {
    @discardableResult
    static func use<T>(
        _ settings: UpstreamSettings, _ outbound: OutboundSettings = OutboundSettings(), clock: HandClock = HandClock(),
        _ body: (RepositoryUpstream) async throws -> T
    ) async throws -> T {
        let pool = ThreadPool(threads: 2)
        let upstreams = Upstreams(
            outbound, agent: "entrepot/test", group: NIOSingletons.posixEventLoopGroup, names: pool, compute: pool, now: { clock.now },
            logger: Logger(label: "test"))
        let result: Result<T, any Error>
        do {
            let upstream = try upstreams.make(settings)
            do { result = .success(try await body(upstream)) } catch { result = .failure(error) }
        } catch {
            result = .failure(error)
        }
        try await upstreams.shutdown()
        try await pool.shutdown()
        return try result.get()
    }

    static func settings(_ server: ScriptedServer, _ credentials: UpstreamCredentials? = nil) -> UpstreamSettings {
        UpstreamSettings(remotes: [server.url], credentials: credentials)
    }

    static let resource = UpstreamResource(.below("a"))
    static let named = UpstreamResource(.named(root: "v2", name: "a/b", rest: "blobs/x"))
}

extension RepositoryUpstream {
    func read(_ resource: UpstreamResource = Fixture.resource) async throws -> String {
        let body = try await self.send(UpstreamRequest(.get, resource)).body.collect(upTo: 1 << 20)
        return String(buffer: try #require(body))
    }

    /// The body, or what went wrong.
    func text(_ resource: UpstreamResource = Fixture.resource) async -> String {
        do { return try await self.read(resource) } catch { return "\(error)" }
    }

    func code(_ resource: UpstreamResource = Fixture.resource) async -> UpstreamError.Code? {
        do throws(UpstreamError) {
            _ = try await self.send(UpstreamRequest(.get, resource))
            return nil
        } catch {
            return error.code
        }
    }
}
