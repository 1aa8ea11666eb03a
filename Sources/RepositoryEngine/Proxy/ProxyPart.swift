import ArtifactModel
import Logging

/// What a proxy repository adds to a repository.
public struct ProxyPart: Sendable {
    public struct Cache: Hashable, Sendable {
        /// How long a movable name or file is served without asking.
        public var maxAge: Duration
        public var negativeMaxAge: Duration
        /// How long a client waits for the upstream's word on something that is kept.
        public var revalidateDeadline: Duration
        public var staleOnError: Bool
        public var maxStale: Duration
        public init(maxAge: Duration, negativeMaxAge: Duration, revalidateDeadline: Duration, staleOnError: Bool, maxStale: Duration) {
            self.maxAge = maxAge
            self.negativeMaxAge = negativeMaxAge
            self.revalidateDeadline = revalidateDeadline
            self.staleOnError = staleOnError
            self.maxStale = maxStale
        }
    }
    public var upstream: any UpstreamClient
    public var cache: Cache
    public init(upstream: any UpstreamClient, cache: Cache) {
        self.upstream = upstream
        self.cache = cache
    }
}

extension ProxyOrigin {
    /// What came and was right, and could still not be kept: the next client fetches it again.
    func log(_ failure: FillFailure, of path: AssetPath) {
        self.logger.warning("not kept", metadata: ["repository": "\(self.name)", "path": "\(path)", "cause": "\(failure)"])
    }
}
