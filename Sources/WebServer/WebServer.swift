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

    let site: Site
    let identities: [TLSFiles: TLSIdentity]
    private let group: any EventLoopGroup
    let logger: Logger
    private let onListening: @Sendable ([Bound]) async -> Void

    /// - Parameters:
    ///   - group: at least two loops serve well; the caller's to shut down, after `run` has returned.
    ///   - pool: for reads that may wait for the disk.
    ///   - control: what the control socket answers.
    ///   - pages: what is neither artifact nor probe.
    ///   - audit: told of every request that did, or was to do, something with an artifact.
    ///   - accessLog: gets a line for each request.
    ///   - steady: for limits on how many requests come in a second.
    ///   - onListening: called once, when every address is bound.
    /// - Throws: `TLSFilesError` for a certificate or key that cannot be used. Reads them: blocks.
    public init(
        _ configuration: WebServerConfiguration, handler: any ArtifactHandler, probes: ServerProbes = ServerProbes(), pool: any BlockingPool,
        group: any EventLoopGroup, control: [ControlRoute] = [], pages: any PageHandler = NoPages(), audit: any AuditSink = NoAudit(),
        now: @escaping WallClock, logger: Logger, accessLog: AccessLog, steady: @escaping SteadyClock = { Int64(NIODeadline.now().uptimeNanoseconds) },
        onListening: @escaping @Sendable ([Bound]) async -> Void = { _ in }
    ) throws {
        self.identities = try Self.identities(configuration)
        self.site = Site(
            configuration, handler, probes, pool, ServerMetrics(group, started: now()), accessLog, ControlRoutes(routes: control), pages,
            audit, now: now, steady: steady, identities: Array(self.identities.values))
        self.group = group
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until it is told to end, and returns when the last connection is closed.
    /// - Throws: where an address cannot be bound.
    public func run() async throws {
        let watches = self.site.metrics.watchLoops() + [self.watchReadyAnswers()]
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
            group.addTask { await self.watchCertificates() }
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

    private func watchReadyAnswers() -> RepeatedTask {
        let site = self.site
        return self.group.next().scheduleRepeatedTask(initialDelay: ReadyAnswers.sweepInterval, delay: ReadyAnswers.sweepInterval) { _ in
            site.ready.sweep(at: site.now())
        }
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

    enum Part: Sendable { case server, drain, watch }
}
