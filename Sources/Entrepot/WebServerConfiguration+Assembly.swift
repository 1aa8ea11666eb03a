import ArtifactModel
import ServerConfiguration
import WebServer

extension WebServerConfiguration {
    /// - Throws: `InvalidName` for a proxy's address block that the configuration took and the server does not.
    init(_ configuration: Configuration, controlSocket: String) throws {
        let server = configuration.server
        let tls = server.tls.map { TLSFiles(certificate: $0.certificate, key: $0.key) }
        func listener(_ address: ListenAddress, _ own: RepositoryName? = nil) -> Listener {
            Listener(.internet(host: address.host, port: address.port), ownRoot: own, tls: tls)
        }
        let own = configuration.repositories.compactMap { repository in repository.listen.map { listener($0, repository.name) } }
        let hosts = configuration.repositories.compactMap { repository in repository.host.map { ($0.text, repository.name) } }
        self.init(
            listeners: server.listen.map { listener($0) } + own + Self.redirects(server), controlSocket: controlSocket, baseURL: server.baseURL.map { "\($0)" },
            hosts: server.hosts.map(\.text), trustedProxies: try server.trustedProxies.map { try AddressBlock("\($0)") },
            ownRoots: Dictionary(hosts, uniquingKeysWith: { first, _ in first }))
        self.limits.headBytes = Int(server.limits.headerBytes)
        self.limits.connections = server.limits.connections
        self.limits.address = SenderLimits(server.limits.address)
        self.limits.principal = SenderLimits(server.limits.principal)
        self.strictTransport = server.tls?.strictTransport
        self.timeouts.head = server.limits.headTimeout
        self.timeouts.keepAlive = server.limits.idleTimeout
        self.timeouts.body = server.limits.stallTimeout
        self.timeouts.stall = server.limits.stallTimeout
        self.timeouts.drain = server.drain
    }

    /// Beside each main listener, on its host; where one covers all addresses of a kind, another could not bind.
    private static func redirects(_ server: Configuration.Server) -> [Listener] {
        guard let port = server.tls?.redirectFrom else { return [] }
        let all = server.listen.filter { $0.address?.isUnspecified == true }
        var redirects: [Listener] = []
        for main in all + server.listen where !redirects.contains(where: { $0.address == .internet(host: main.host, port: port) }) {
            let isCovered = all.contains { $0.host != main.host && $0.address?.bytes.count == main.address?.bytes.count }
            if !isCovered { redirects.append(Listener(.internet(host: main.host, port: port), redirectPort: main.port)) }
        }
        return redirects
    }
}

extension SenderLimits {
    init(_ limits: Configuration.Server.SenderLimits) { self.init(requests: limits.requests, concurrent: limits.concurrent) }
}
