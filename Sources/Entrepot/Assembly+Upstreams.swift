import ArtifactModel
import FormatAPI
import Foundation
import Outbound
import RepositoryEngine
import ServerConfiguration
import Upstream

extension Assembly {
    /// What a repository is, with its way to the upstream where it has one.
    /// - Throws: `CommandFailure` for an upstream that cannot be used, such as a file of certificate authorities that cannot be read.
    static func part(of repository: Configuration.Repository, _ formats: [any ServedFormat], _ upstreams: Upstreams) throws -> Repository.Part {
        switch repository.kind {
        case .hosted(let hosted): return .hosted(hosted.writePolicy)
        case .group(let group):
            return .group(
                GroupPart(
                    members: group.members, writeTo: group.writeTo, onMemberError: group.onMemberError == .fail ? .fail : .skip,
                    merge: group.merge == .union ? .union : .hosted))
        case .proxy(let proxy):
            let format = formats.first { $0.id == repository.format }
            do {
                let upstream = try upstreams.make(UpstreamSettings(proxy, format))
                return .proxy(ProxyPart(upstream: upstream, cache: ProxyPart.Cache(proxy.cache)))
            } catch {
                throw CommandFailure("the upstream of «\(repository.name)» cannot be used: \(error)")
            }
        }
    }
}

extension UpstreamSettings {
    fileprivate init(_ proxy: Configuration.Repository.Proxy, _ format: (any ServedFormat)?) {
        // A path in the remote's URL means another registry's repository, whose names are what they are.
        let canonical = proxy.remotes.first
        let automatic = canonical.flatMap { $0.path.isEmpty ? format?.officialPrefix(ofRemote: $0.host) : nil }
        self.init(
            remotes: proxy.remotes.map { "\($0)" }, digestsOnly: proxy.digestsOnly, officialPrefix: proxy.officialPrefix ?? automatic,
            credentials: proxy.authentication.map {
                switch $0 {
                case .basic(let username, let password): .basic(username: username, password: password)
                case .token(let token): .token(token)
                }
            }, trustedHosts: proxy.trustedHosts.map(\.text),
            limits: OutboundLimits(
                connections: proxy.limits.connections, bandwidth: proxy.limits.bandwidth, idleTimeout: proxy.limits.idleTimeout,
                connectTimeout: proxy.limits.connectTimeout))
    }
}

extension ProxyPart.Cache {
    fileprivate init(_ cache: Configuration.Repository.Cache) {
        self.init(
            maxAge: cache.maxAge, negativeMaxAge: cache.negativeMaxAge, revalidateDeadline: cache.revalidateDeadline, staleOnError: cache.staleOnError,
            maxStale: cache.maxStale, goneDocuments: cache.goneDocuments == .keep ? .keep : .honour,
            goneImmutable: cache.goneImmutable == .keep ? .keep : .honour, fixedTags: cache.fixedTags)
    }
}

extension OutboundSettings {
    init(_ outbound: Configuration.Outbound) {
        self.init(
            allowPrivate: outbound.allowPrivate,
            proxy: outbound.proxy.map { address in
                let user = address.userInformation.map { text in
                    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map {
                        String($0).removingPercentEncoding ?? String($0)
                    }
                    return (name: parts[0], password: parts.count == 2 ? parts[1] : "")
                }
                return Proxy(host: address.host, port: address.port ?? 80, user: user)
            }, certificateAuthorities: outbound.ca)
    }
}
