public import Outbound

public enum UpstreamCredentials: Hashable, Sendable, CustomStringConvertible {
    case basic(username: String, password: String)
    /// Sent as a bearer token.
    case token(String)

    public var description: String { "***" }
}

/// One repository's upstream, in plain values.
public struct UpstreamSettings: Sendable {
    /// URLs, the canonical one first; the others are mirrors.
    public var remotes: [String]
    /// Mirrors that are asked only for bytes whose digest is known: places in `remotes`.
    public var digestsOnly: Set<Int>
    /// Put before names of one part.
    public var officialPrefix: String?
    public var credentials: UpstreamCredentials?
    /// Hosts that get the credentials beside the canonical remote's own.
    public var trustedHosts: [String]
    public var limits: OutboundLimits

    public init(
        remotes: [String], digestsOnly: Set<Int> = [], officialPrefix: String? = nil, credentials: UpstreamCredentials? = nil, trustedHosts: [String] = [],
        limits: OutboundLimits = OutboundLimits()
    ) {
        self.remotes = remotes
        self.digestsOnly = digestsOnly
        self.officialPrefix = officialPrefix
        self.credentials = credentials
        self.trustedHosts = trustedHosts
        self.limits = limits
    }
}
