public import ArtifactModel
public import Logging
public import NIOCore
public import Outbound
import RepositoryEngine
import Synchronization

/// Makes the upstreams of repositories, and ends their connections with the server.
public final class Upstreams: Sendable {
    private let settings: OutboundSettings
    private let agent: String
    private let group: any EventLoopGroup
    private let names: any BlockingPool
    private let compute: any BlockingPool
    private let now: WallClock
    private let logger: Logger
    private let clients = Mutex<[OutboundClient]>([])

    /// - Parameters:
    ///   - agent: for `User-Agent`: `entrepot/1.0`.
    ///   - group: lives longer than this; its loops do the network's work.
    ///   - names: where names are looked up: waits for the network, so a pool of its own is best.
    public init(
        _ settings: OutboundSettings, agent: String, group: any EventLoopGroup, names: any BlockingPool, compute: any BlockingPool, now: @escaping WallClock,
        logger: Logger
    ) {
        self.settings = settings
        self.agent = agent
        self.group = group
        self.names = names
        self.compute = compute
        self.now = now
        self.logger = logger
    }

    /// Reads the file of certificate authorities: before the server serves.
    /// - Throws: `InvalidName` for a remote, NIOSSL's error for the file of authorities.
    public func make(_ upstream: UpstreamSettings) throws -> RepositoryUpstream {
        let remotes = try upstream.remotes.map { text throws(InvalidName) in try Remote(text) }
        guard let canonical = remotes.first else { throw InvalidName(kind: "remote", text: "", rule: "one URL at least") }
        let client = try OutboundClient(self.settings, upstream.limits, group: self.group, names: self.names)
        self.clients.withLock { $0.append(client) }
        let wire = Wire(client: client, configured: Set(remotes.map(\.origin)))
        let trusted = Set((upstream.trustedHosts + WellKnownHosts.trusted(with: canonical.origin.host)).map { $0.lowercased() })
        let service = TokenService(wire: wire, compute: self.compute, trustedHosts: trusted, agent: self.agent, now: self.now)
        let sites = remotes.enumerated().map { place, remote in
            // A mirror is somebody else: it gets the credentials where the operator says so.
            let isOwn = remote.origin.host == canonical.origin.host || trusted.contains(remote.origin.host)
            let isSafe = remote.origin.scheme == .https || canonical.origin.scheme == .http
            let signIn = SignIn(remote.origin, isOwn && isSafe ? upstream.credentials : nil, service, now: self.now)
            return RemoteSite(
                remote: remote, officialPrefix: upstream.officialPrefix, wire: wire, signIn: signIn, agent: self.agent, now: self.now,
                digestsOnly: upstream.digestsOnly.contains(place))
        }
        return RepositoryUpstream(name: "\(canonical.origin)", sites: sites, book: FigureBook(), compute: self.compute, logger: self.logger)
    }

    /// Ends all connections; requests that run fail. Must be called before the last reference goes, and before the group ends.
    public func shutdown() async throws {
        let clients = self.clients.withLock { clients in
            defer { clients = [] }
            return clients
        }
        for client in clients { try await client.shutdown() }
    }
}
