public import ArtifactModel

/// What holds for every connection that the server opens.
public struct OutboundSettings: Sendable {
    public struct Proxy: Sendable {
        public var host: String
        public var port: Int
        public var user: (name: String, password: String)?
        public init(host: String, port: Int, user: (name: String, password: String)? = nil) {
            self.host = host
            self.port = port
            self.user = user
        }
    }
    /// Networks that upstreams' documents and redirects may lead to beyond the public Internet.
    public var allowPrivate: [CIDR]
    /// Connections are made by `CONNECT` through it, plain HTTP too.
    public var proxy: Proxy?
    /// The path of a PEM file with certificate authorities that count beside the system's.
    public var certificateAuthorities: String?
    public init(allowPrivate: [CIDR] = [], proxy: Proxy? = nil, certificateAuthorities: String? = nil) {
        self.allowPrivate = allowPrivate
        self.proxy = proxy
        self.certificateAuthorities = certificateAuthorities
    }
}

/// What one upstream may take.
public struct OutboundLimits: Hashable, Sendable {
    /// At one time; more requests wait.
    public var connections: Int
    /// In bytes per second, of all answers together; nil: no bound.
    public var bandwidth: Int64?
    /// Without a byte, be it of the head or of the body. There is no total bound.
    public var idleTimeout: Duration
    /// For the connection and its TLS.
    public var connectTimeout: Duration
    public init(connections: Int = 64, bandwidth: Int64? = nil, idleTimeout: Duration = .seconds(60), connectTimeout: Duration = .seconds(10)) {
        self.connections = connections
        self.bandwidth = bandwidth
        self.idleTimeout = idleTimeout
        self.connectTimeout = connectTimeout
    }
}
