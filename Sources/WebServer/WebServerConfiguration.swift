public import ArtifactModel

/// What the web server needs to know, checked and complete.
public struct WebServerConfiguration: Sendable {
    public var listeners: [Listener]
    /// Where command-line tools reach the running server; nil: nowhere.
    public var controlSocket: String?
    /// `https://host[:port]`, without a slash at its end: the origin of the main listeners, whatever a request's Host says.
    public var baseURL: String?
    /// Names, with or without a port, that a request's Host may have. With this or `baseURL` set, another Host is 421.
    public var hosts: [String]
    /// Peers whose `X-Forwarded-*` and `Forwarded` count.
    public var trustedProxies: [AddressBlock]
    /// Repositories with a root of their own by Host: a host's name, or `name:port`.
    public var ownRoots: [String: RepositoryName]
    /// How long clients that know `Strict-Transport-Security` shall use nothing but HTTPS; nil: not said.
    public var strictTransport: Duration?
    public var limits: Limits
    public var timeouts: Timeouts

    public init(
        listeners: [Listener], controlSocket: String? = nil, baseURL: String? = nil, hosts: [String] = [], trustedProxies: [AddressBlock] = [],
        ownRoots: [String: RepositoryName] = [:], limits: Limits = Limits(), timeouts: Timeouts = Timeouts()
    ) {
        self.listeners = listeners
        self.controlSocket = controlSocket
        self.baseURL = baseURL
        self.hosts = hosts
        self.trustedProxies = trustedProxies
        self.ownRoots = ownRoots
        self.limits = limits
        self.timeouts = timeouts
    }
}

/// An address that is listened on.
public struct Listener: Hashable, Sendable {
    public enum Address: Hashable, Sendable {
        /// Port 0: the system chooses one; `onListening` tells which.
        case internet(host: String, port: Int)
        case unix(path: String)
    }
    public var address: Address
    /// Set where the whole address belongs to one repository.
    public var ownRoot: RepositoryName?
    /// nil: plain HTTP.
    public var tls: TLSFiles?
    /// Set where every request is sent on to HTTPS, at this port of the same host; `baseURL` counts instead where it is set.
    public var redirectPort: Int?
    public init(_ address: Address, ownRoot: RepositoryName? = nil, tls: TLSFiles? = nil, redirectPort: Int? = nil) {
        self.address = address
        self.ownRoot = ownRoot
        self.tls = tls
        self.redirectPort = redirectPort
    }
}

/// PEM files: a certificate with its chain, and its key.
public struct TLSFiles: Hashable, Sendable {
    public var certificate: String
    public var key: String
    public init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

public struct Limits: Hashable, Sendable {
    /// A request line with all its headers, in bytes; more is 431.
    public var headBytes = 32 << 10
    public var headers = 100
    /// On each listener; beyond it, accepting pauses.
    public var connections = 8192
    /// What is read and thrown away of a body that nobody wanted, in bytes, so that the connection can be kept.
    public var drainedBody: Int64 = 1 << 20
    /// Files of answers that are given again and again, which are held open.
    public var readyFiles = 1024
    public var address = SenderLimits()
    public var principal = SenderLimits()
    public init() {}
}

/// On the requests of each client's address, or of each principal.
public struct SenderLimits: Hashable, Sendable {
    /// A second; what ten seconds of silence save up may come at once. nil: no limit.
    public var requests: Int?
    /// That are being answered at one time. nil: no limit.
    public var concurrent: Int?
    public init(requests: Int? = nil, concurrent: Int? = nil) {
        self.requests = requests
        self.concurrent = concurrent
    }
}

/// None bounds a whole transfer: each is the longest time without the least progress.
public struct Timeouts: Hashable, Sendable {
    /// From a request's first byte, or a connection's opening, to the end of its head.
    public var head: Duration = .seconds(30)
    /// Between requests of one connection.
    public var keepAlive: Duration = .seconds(75)
    /// Without a byte of a body that is being read.
    public var body: Duration = .seconds(60)
    /// Without a byte taken by the client.
    public var stall: Duration = .seconds(60)
    /// What running transfers get when the server is told to end.
    public var drain: Duration = .seconds(30)
    /// How long a connection with unread input is kept half-closed, so that the client can read the answer.
    public var linger: Duration = .seconds(2)
    /// Between two looks at certificates and keys, which are read again where they have changed.
    public var certificates: Duration = .seconds(5)
    public init() {}
}
