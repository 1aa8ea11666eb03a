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

    /// Why this configuration must not be served: passwords and tokens would cross a network in the clear. `load` has asked already.
    ///
    /// An address beyond loopback needs `server.tls`, or `server.allowPlainHTTP: true`, which says that something in front of it does TLS.
    public func exposureCheck() -> [Diagnostic] {
        guard !self.server.allowPlainHTTP, self.server.tls == nil else { return [] }
        return self.listeners.filter { !$0.address.isLoopback }.map { listener in
            Diagnostic(
                file: self.file, position: listener.position, key: listener.key,
                message: "«\(listener.address)» can be reached from other machines; that needs server.tls, or server.allowPlainHTTP: true",
                allowed: ["a loopback address such as 127.0.0.1:8081"])
        }
    }
}
