import ArtifactModel

extension ConfigurationReader {
    static let standardListen = "127.0.0.1:8081"

    func server(_ section: Section) -> Server {
        let listen = self.listen(section)
        let baseURL = section.optional("baseURL", .type { text throws(InvalidName) in try Self.origin(text) })
        let hosts = section.list("hosts", .type { text throws(InvalidName) in try HostName(text) })
        let proxies = section.list("trustedProxies", .type { text throws(InvalidName) in try CIDR(text) })
        let tls = section.optionalSection("tls").flatMap(self.tls)
        let allowPlainHTTP = section.value("allowPlainHTTP", .bool, default: false)
        let drain = section.value("drain", .duration, default: .seconds(30))
        let limits = self.limits(section.section("limits"))
        section.finish()
        return Server(
            listen: listen.map(\.value), baseURL: baseURL, hosts: hosts.map(\.value), trustedProxies: proxies.map(\.value), tls: tls,
            allowPlainHTTP: allowPlainHTTP, drain: drain, limits: limits, listenPositions: listen.map(\.position),
            listenKey: self.overrides.listen == nil ? "server.listen" : "--listen")
    }

    private func listen(_ section: Section) -> [Located<ListenAddress>] {
        let kind = ValueKind<ListenAddress>.type { text throws(InvalidName) in try ListenAddress(text) }
        let standard = (try? ListenAddress(Self.standardListen)).map { [$0] } ?? []  // a constant; a test reads it
        let written = section.list("listen", kind, orSingle: true, default: standard)
        if let entry = section.entry("listen"), case .list(let members) = entry.value.content, members.isEmpty {
            self.findings.error(entry.value.position, "server.listen", "no address to listen on", allowed: [Self.standardListen])
        }
        guard let others = self.overrides.listen else { return written }
        var out: [Located<ListenAddress>] = []
        for text in others {
            do {
                out.append(Located(value: try ListenAddress(text), position: nil, key: "--listen"))
            } catch {
                self.findings.error(nil, "--listen", "«\(text)» is not a \(error.kind)", allowed: [error.rule])
            }
        }
        section.replaceShown("listen", .list(out.map { .text($0.value.description) }))
        return out
    }

    /// `baseURL` is an origin: the server's own paths begin at its root.
    private static func origin(_ text: String) throws(InvalidName) -> WebAddress {
        let address = try WebAddress(text)
        guard address.path.isEmpty, address.query == nil, address.userInformation == nil else {
            throw InvalidName(kind: "base URL", text: "", rule: "http://host[:port] or https://host[:port], without path, query and user")
        }
        return address
    }

    private func tls(_ section: Section) -> Server.TLS? {
        let path = ValueKind<String>.path { self.surroundings.absolute($0) }
        let certificate = section.required("certificate", path, ["the path of a PEM file"])
        let key = section.required("key", path, ["the path of a PEM file"])
        let redirectFrom = section.optional("redirectFrom", .int(1...65535))
        let strictTransport = section.value("hsts", .duration, default: .seconds(180 * 86_400))
        section.finish()
        guard let certificate, let key else { return nil }
        return Server.TLS(
            certificate: certificate, key: key, redirectFrom: redirectFrom, strictTransport: strictTransport < .seconds(1) ? nil : strictTransport)
    }

    private func limits(_ section: Section) -> Server.Limits {
        let limits = Server.Limits(
            headerBytes: section.value("headerBytes", .size(from: 4096, to: 1 << 20), default: 32 << 10),
            connections: section.value("connections", .int(1...1_000_000), default: 8192),
            headTimeout: section.value("headTimeout", .positiveDuration, default: .seconds(30)),
            idleTimeout: section.value("idleTimeout", .positiveDuration, default: .seconds(75)),
            stallTimeout: section.value("stallTimeout", .positiveDuration, default: .seconds(60)), address: self.senders(section, "Address"),
            principal: self.senders(section, "Principal"))
        section.finish()
        return limits
    }

    private func senders(_ section: Section, _ whose: String) -> Server.SenderLimits {
        let number = ValueKind<Int>.int(1...1_000_000)
        return Server.SenderLimits(
            requests: section.optional("requestsPer\(whose)", number), concurrent: section.optional("concurrentPer\(whose)", number))
    }

    /// Two listeners on one address, then those that must not be where they are.
    func checkListeners(_ configuration: Configuration) {
        var known: [(address: ListenAddress, key: String)] = []
        for listener in configuration.listeners {
            if let other = known.first(where: { $0.address.collides(with: listener.address) }) {
                self.findings.error(listener.position, listener.key, "«\(listener.address)» is taken by \(other.key), which listens on \(other.address)")
            }
            known.append((listener.address, listener.key))
        }
        self.checkRedirect(configuration, known.map(\.address))
        for diagnostic in configuration.exposureCheck() { self.findings.add(diagnostic) }
        self.checkHosts(configuration)
    }

    private func checkRedirect(_ configuration: Configuration, _ known: [ListenAddress]) {
        guard let port = configuration.server.tls?.redirectFrom else { return }
        let key = "server.tls.redirectFrom"
        if known.contains(where: { $0.port == port }) { self.findings.error(nil, key, "port \(port) is taken by a listener") }
        if let baseURL = configuration.server.baseURL, baseURL.scheme == .http {
            self.findings.error(nil, key, "clients are sent on to server.baseURL, and «\(baseURL)» is not https", allowed: ["https://…"])
        }
        if configuration.server.baseURL == nil, configuration.server.listen.contains(where: { $0.port == 0 }) {
            self.findings.error(nil, key, "clients cannot be sent on to a port that the system chooses; set server.baseURL, or a port in server.listen")
        }
    }

    private func checkHosts(_ configuration: Configuration) {
        var owners: [HostName: RepositoryName] = [:]
        for repository in configuration.repositories {
            guard let host = repository.host else { continue }
            if let other = owners.updateValue(repository.name, forKey: host) {
                self.findings.error(repository.position, "repositories.\(repository.name).host", "«\(host)» is taken by repositories.\(other)")
            }
        }
    }
}
