public import AccessControl
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
        /// nil: however old.
        public var maxStale: Duration?
        /// Of names and listings that the upstream has no more.
        public var goneDocuments: Gone
        /// Of files that never change. To honour their deletion they have to be asked for again after `maxAge`.
        public var goneImmutable: Gone
        /// Pointers that never move: matched with the name, or with `package:name` where the pattern has a `:`.
        public var fixedTags: [Glob]

        /// What becomes of a copy whose original was deleted upstream.
        public enum Gone: Hashable, Sendable { case keep, honour }

        public init(
            maxAge: Duration, negativeMaxAge: Duration, revalidateDeadline: Duration, staleOnError: Bool, maxStale: Duration?,
            goneDocuments: Gone = .honour, goneImmutable: Gone = .keep, fixedTags: [Glob] = []
        ) {
            self.goneDocuments = goneDocuments
            self.goneImmutable = goneImmutable
            self.fixedTags = fixedTags
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

extension ProxyPart.Cache {
    func isFixed(_ name: PointerName) -> Bool {
        self.fixedTags.contains { $0.matches($0.text.contains(":") ? "\(name.package.path):\(name.name)" : name.name) }
    }
}
