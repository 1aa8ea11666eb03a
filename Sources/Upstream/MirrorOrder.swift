import RepositoryEngine

/// In which order an upstream's remotes are asked. Place 0 is the canonical one, whose word alone says that there is no such thing.
enum MirrorOrder {
    struct Site: Hashable, Sendable {
        var digestsOnly = false
        var isResting = false
        /// nil: it has not answered yet.
        var latency: Duration?
    }

    /// Mutable: the canonical one knows, and the others only stand in for it. Everything else: who is well and fast; one that was never asked
    /// counts as fast, so that all get known; the canonical one before its equals.
    static func places(_ sites: [Site], for kind: UpstreamRequest.Kind) -> [Int] {
        let trusted = sites.indices.filter { $0 == 0 || kind == .verified || !sites[$0].digestsOnly }
        guard kind == .mutable else { return Self.sorted(trusted, sites) }
        return trusted.prefix(1) + Self.sorted(Array(trusted.dropFirst()), sites)
    }

    private static func sorted(_ places: [Int], _ sites: [Site]) -> [Int] {
        places.sorted { one, other in
            let (first, second) = (sites[one], sites[other])
            if first.isResting != second.isResting { return second.isResting }
            let (fast, slow) = (first.latency ?? .zero, second.latency ?? .zero)
            return fast == slow ? one < other : fast < slow
        }
    }
}
