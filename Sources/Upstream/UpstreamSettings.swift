public import Outbound

public enum UpstreamCredentials: Hashable, Sendable, CustomStringConvertible {
    case basic(username: String, password: String)
    /// Sent as a bearer token.
    case token(String)

    public var description: String { "***" }
}

/// One repository's upstream, in plain values.
public struct UpstreamSettings: Sendable {
    /// URLs, the canonical one first; the others are mirrors, tried in this order when it is in trouble.
    public var remotes: [String]
    /// Put before names of one part.
    public var officialPrefix: String?
    public var credentials: UpstreamCredentials?
    /// Hosts that get the credentials beside the canonical remote's own.
    public var trustedHosts: [String]
    public var limits: OutboundLimits

    public init(
        remotes: [String], officialPrefix: String? = nil, credentials: UpstreamCredentials? = nil, trustedHosts: [String] = [],
        limits: OutboundLimits = OutboundLimits()
    ) {
        self.remotes = remotes
        self.officialPrefix = officialPrefix
        self.credentials = credentials
        self.trustedHosts = trustedHosts
        self.limits = limits
    }
}
