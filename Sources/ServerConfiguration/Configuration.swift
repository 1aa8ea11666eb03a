public import AccessControl
public import ArtifactModel

/// A whole configuration, checked: names lead somewhere, values are within their bounds, nothing was ignored.
///
/// The keys, their defaults and their meaning are in `docs/configuration.md`.
public struct Configuration: Sendable {
    public var server: Server
    /// Absolute.
    public var data: String
    /// By name, in the file's order; `default` is always there.
    public var blobStores: [BlobStore]
    public var outbound: Outbound
    /// By the format's id: its `SiteSettings`. Every format that was given to `load` has its own.
    public var siteSettings: [String: any Sendable]
    /// In the file's order.
    public var repositories: [Repository]
    public var routingRules: [AccessControl.RoutingRule]
    public var cleanupPolicies: [CleanupPolicy]
    public var security: Security
    public var audit: Audit
    /// What `config show` prints.
    public var shown: Shown
    /// What its file says, for `fingerprint`.
    var written = WrittenValues()
    /// As it was given to `load`; what exposure errors name.
    let file: String

    /// One line that the log must have at the start where everyone is let in; nil: nothing to say.
    public var accessNotice: String? {
        self.security.openAccess ? "security.openAccess is true: everyone who reaches this server may read, write and delete" : nil
    }
}

extension Configuration {
    public struct Server: Hashable, Sendable {
        public var listen: [ListenAddress]
        /// An origin, without path. nil: derived from `Host`.
        public var baseURL: WebAddress?
        public var hosts: [HostName]
        public var trustedProxies: [CIDR]
        public var tls: TLS?
        public var allowPlainHTTP: Bool
        /// How long running transfers may go on after SIGTERM.
        public var drain: Duration
        public var limits: Limits
        /// Where `listen` stands; nil for the default and for what the command line said.
        var listenPositions: [Position?]
        /// Who says `listen`: `server.listen` or `--listen`.
        var listenKey: String

        public struct TLS: Hashable, Sendable {
            /// Absolute paths of PEM files.
            public var certificate: String
            public var key: String
            /// A port whose requests are sent on to HTTPS.
            public var redirectFrom: Int?
            /// `Strict-Transport-Security`'s `max-age`; nil: not sent.
            public var strictTransport: Duration?
        }

        public struct Limits: Hashable, Sendable {
            /// Of a request's head, in bytes.
            public var headerBytes: Int64
            /// Open at one time, on each listener; more wait.
            public var connections: Int
            /// From the first byte of a request's head to its last.
            public var headTimeout: Duration
            /// Between two requests on a connection.
            public var idleTimeout: Duration
            /// Without a byte in either direction within a request.
            public var stallTimeout: Duration
            public var address: SenderLimits
            public var principal: SenderLimits
        }

        /// On what each client's address, or each principal, may send; nil: no limit.
        public struct SenderLimits: Hashable, Sendable {
            /// A second; what ten seconds of silence save up may come at once.
            public var requests: Int?
            /// That are being answered at one time.
            public var concurrent: Int?
            public init(requests: Int?, concurrent: Int?) {
                self.requests = requests
                self.concurrent = concurrent
            }
        }
    }

    /// Bytes in files. Other kinds are refused by this version.
    public struct BlobStore: Hashable, Sendable {
        public var name: String
        /// Absolute.
        public var path: String
        /// In bytes; a write that would pass it is refused.
        public var quota: Int64?
    }

    /// What holds for every connection that the server opens.
    public struct Outbound: Hashable, Sendable {
        /// What upstreams' documents and redirects may lead to beyond the public Internet.
        public var allowPrivate: [CIDR]
        /// An HTTP proxy, `http`, with `user:password` where it wants them; it is asked to CONNECT.
        public var proxy: WebAddress?
        /// The absolute path of a PEM file with certificate authorities beside the system's.
        public var ca: String?
    }

    public struct CleanupPolicy: Hashable, Sendable {
        public enum Versions: String, Hashable, Sendable, CaseIterable { case all, releases, prereleases }
        public var name: String
        /// A format's id; nil: every format.
        public var format: String?
        public var keepLast: Int?
        public var olderThan: Duration?
        public var notDownloadedFor: Duration?
        public var versions: Versions
        public var matching: [Glob]
    }

    public struct Security: Sendable {
        /// Roles, groups, users and what everybody may do.
        public var policy: AccessPolicy
        /// No access control at all; the policy counts for nothing then.
        public var openAccess: Bool
    }

    public struct Audit: Hashable, Sendable {
        /// When what was written must have reached the disk.
        public enum Sync: Hashable, Sendable { case always, never, every(Duration) }
        /// What happens while nothing can be recorded.
        public enum FailureChoice: String, Hashable, Sendable, CaseIterable { case `continue`, refuse }
        public var enabled: Bool
        public var sync: Sync
        /// nil: all is kept.
        public var retention: Duration?
        /// A segment that has so many bytes gets no further line.
        public var segmentBytes: Int64
        public var onFailure: FailureChoice
    }
}
