public import ArtifactModel
public import Audit
import Glibc
import HummingbirdCore
public import Logging
public import NIOCore
import NIOPosix
public import RepositoryEngine
public import ServiceLifecycle

/// Listens, reads requests, lets the `ArtifactHandler` answer them, and sends what it says.
///
/// Each connection's task runs on the connection's own event loop: the handler must not block, and puts what takes long to the pool.
/// On graceful shutdown it stops accepting, closes idle connections, gives transfers `Timeouts.drain`, and then closes them.
public final class WebServer: Service {
    /// An address that is listened on by now.
    public struct Bound: Hashable, Sendable {
        public var listener: Listener
        /// The real one, where port 0 was asked for; nil at a Unix socket.
        public var port: Int?
    }

    private let site: Site
    private let identities: [TLSFiles: TLSIdentity]
    private let group: any EventLoopGroup
    private let logger: Logger
    private let onListening: @Sendable ([Bound]) async -> Void

    /// - Parameters:
    ///   - group: at least two loops serve well; the caller's to shut down, after `run` has returned.
    ///   - pool: for reads that may wait for the disk.
    ///   - control: what the control socket answers.
    ///   - pages: what is neither artifact nor probe.
    ///   - audit: told of every request that did, or was to do, something with an artifact.
    ///   - accessLogger: gets a line for each request.
    ///   - onListening: called once, when every address is bound.
    /// - Throws: what NIOSSL says of a certificate or key. Reads them: blocks.
    public init(
        _ configuration: WebServerConfiguration, handler: any ArtifactHandler, probes: ServerProbes = ServerProbes(), pool: any BlockingPool,
        group: any EventLoopGroup, control: [ControlRoute] = [], pages: any PageHandler = NoPages(), audit: any AuditSink = NoAudit(),
        now: @escaping WallClock, logger: Logger, accessLogger: Logger,
        onListening: @escaping @Sendable ([Bound]) async -> Void = { _ in }
    ) throws {
        var identities: [TLSFiles: TLSIdentity] = [:]
        for files in configuration.listeners.compactMap(\.tls) where identities[files] == nil { identities[files] = try TLSIdentity(files) }
        self.identities = identities
        self.site = Site(
            configuration, handler, probes, pool, ServerMetrics(group, started: now()), AccessLog(logger: accessLogger), ControlRoutes(routes: control), pages,
            audit, now: now)
        self.group = group
        self.logger = logger
        self.onListening = onListening
    }

    /// Reads certificates and keys again; new connections get them. Where one cannot be read, it stays as it was, and the rest go on.
    /// - Throws: the first failure.
    public func reloadTLS() async throws {
        let identities = Array(self.identities.values)
        try await self.site.pool.run {
            let failures = identities.compactMap { identity in
                do {
                    try identity.reload()
                    return nil as (any Error)?
                } catch {
                    return error
                }
            }
            if let failure = failures.first { throw failure }
        }
    }

    /// Serves until it is told to end, and returns when the last connection is closed.
    /// - Throws: where an address cannot be bound.
    public func run() async throws {
        let watches = self.site.metrics.watchLoops()
        defer { for watch in watches { watch.cancel() } }
        let places = self.places()
        let executors = EventLoopExecutors(self.group)
        let binding = Binding(places.count, self.onListening)
        try await withThrowingTaskGroup(of: Part.self) { group in
            for (index, place) in places.enumerated() {
                let server = self.server(place, executors) { port in
                    self.settle(place)
                    await binding.bound(index, place, port)
                }
                group.addTask { try await place.running(server) }
            }
            group.addTask { await self.watchDrain() }
            var left = places.count
            while left > 0, let part = try await group.next() {
                if part == .server { left -= 1 }
            }
            group.cancelAll()
        }
    }

    private func places() -> [ListeningPlace] {
        let own = self.site.configuration.listeners.map { ListeningPlace($0, isControl: false) }
        let control = self.site.configuration.controlSocket.map { ListeningPlace(Listener(.unix(path: $0)), isControl: true) }
        return own + (control.map { [$0] } ?? [])
    }

    private func server(_ place: ListeningPlace, _ executors: EventLoopExecutors, bound: @escaping @Sendable (Int?) async -> Void) -> any Service {
        let identity = place.listener.tls.flatMap { self.identities[$0] }
        let channel = ConnectionChannel(site: self.site, entrance: place.entrance, identity: identity, executors: executors)
        var quiet = self.logger
        quiet.logLevel = max(quiet.logLevel, .warning)
        let configuration = ServerConfiguration(
            address: place.bindAddress, backlog: 1024, availableConnectionsDelegate: .maximum(self.site.configuration.limits.connections, logger: quiet))
        return channel.server(
            configuration: configuration, onServerRunning: { await bound($0.localAddress?.port) }, eventLoopGroup: self.group, logger: quiet)
    }

    private func settle(_ place: ListeningPlace) {
        guard !place.settle() else { return }
        self.logger.error("a socket could not be given its name and mode", metadata: ["address": "\(place.listener.address)"])
    }

    /// Makes the time that running transfers get a real bound.
    private func watchDrain() async -> Part {
        do {
            try await gracefulShutdown()
            self.site.connections.drain()
            try await Task.sleep(for: self.site.configuration.timeouts.drain)
            let left = self.site.connections.count
            if left > 0 { self.logger.warning("transfers were cut at the end of the drain time", metadata: ["connections": "\(left)"]) }
            self.site.connections.closeAll()
        } catch {
            // Cancelled: every server has ended by itself.
        }
        return .drain
    }

    enum Part: Sendable { case server, drain }
}
