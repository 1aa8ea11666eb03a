extension Configuration {
    /// A listener, and where the configuration says so.
    public struct Listener: Hashable, Sendable {
        public var address: ListenAddress
        /// `server.listen`, `--listen` or `repositories.x.listen`.
        public var key: String
        /// nil: the default, or the command line.
        public var position: Position?
    }
}

extension Configuration {
    /// Every listener: the server's first, then the repositories' own.
    public var listeners: [Listener] {
        let main = zip(self.server.listen, self.server.listenPositions).map { Listener(address: $0, key: self.server.listenKey, position: $1) }
        let own = self.repositories.compactMap { repository in
            repository.listen.map { Listener(address: $0, key: "repositories.\(repository.name).listen", position: repository.listenPosition) }
        }
        return main + own
    }

    /// Why this configuration must not be served: an address beyond loopback without the word that opens it. `load` has asked already.
    ///
    /// As this version has no access control, `security.openAccess: true` is needed for every such address, and
    /// `server.allowPlainHTTP: true` where there is no `server.tls`.
    public func exposureCheck() -> [Diagnostic] {
        self.listeners.filter { !$0.address.isLoopback }.compactMap { listener in
            var missing: [String] = []
            if !self.security.openAccess { missing.append("security.openAccess: true (there is no access control in this version)") }
            if !self.server.allowPlainHTTP, self.server.tls == nil { missing.append("server.allowPlainHTTP: true (there is no server.tls)") }
            guard !missing.isEmpty else { return nil }
            return Diagnostic(
                file: self.file, position: listener.position, key: listener.key,
                message: "«\(listener.address)» can be reached from other machines; that needs \(missing.joined(separator: " and "))",
                allowed: ["a loopback address such as 127.0.0.1:8081"])
        }
    }
}
