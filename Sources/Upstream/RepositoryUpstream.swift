import ArtifactModel
import FormatAPI
import HTTPTypes
import Logging
import NIOCore
import Outbound
public import RepositoryEngine

/// One repository's upstream with its mirrors. Safe to use from many tasks.
public struct RepositoryUpstream: UpstreamClient {
    public let name: String
    /// The canonical one first.
    let sites: [RemoteSite]
    let book: FigureBook
    let compute: any BlockingPool
    let logger: Logger

    public var figures: UpstreamFigures {
        var figures = self.book.now
        figures.sites = self.sites.map { $0.health.figures("\($0.remote.origin)") }
        return figures
    }

    public func fullName(_ name: String) -> String { Remote.fullName(name, officialPrefix: self.sites.first?.officialPrefix) }

    public func send(_ request: UpstreamRequest) async throws(UpstreamError) -> UpstreamAnswer {
        do throws(UpstreamError) {
            let (answer, site) = try await self.ask(request)
            self.book.count(answer.status == .notModified ? "notModified" : "ok")
            return await self.wrap(answer, request, site)
        } catch {
            self.book.count(Self.outcome(error))
            throw error
        }
    }

    /// Until one answers. Only the canonical one's miss is a miss: while it is in trouble, what a mirror lacks may well be there.
    private func ask(_ request: UpstreamRequest) async throws(UpstreamError) -> (OutboundAnswer, RemoteSite) {
        var canonical: UpstreamError?
        var missed: UpstreamError?
        for place in self.places(for: request) {
            let site = self.sites[place]
            do throws(UpstreamError) {
                return (try await self.ask(site, request), site)
            } catch {
                if error.code == .cancelled || (place == 0 && error.code == .absent) { throw error }
                self.logger.debug("upstream in trouble", metadata: ["upstream": "\(site.remote.origin)", "reason": "\(error.message)"])
                if place == 0 { canonical = error } else { missed = missed ?? error }
            }
        }
        throw canonical ?? missed ?? UpstreamError(.trouble(.failed), "there is no upstream")
    }

    private func places(for request: UpstreamRequest) -> [Int] {
        // What a document named has no mirror.
        switch request.resource.location {
        case .absolute, .elsewhere: return [0]
        case .below, .named, .reference: break
        }
        guard self.sites.count > 1 else { return Array(self.sites.indices) }
        return MirrorOrder.places(
            self.sites.map { site in
                let rank = site.health.rank
                return MirrorOrder.Site(digestsOnly: site.digestsOnly, isResting: rank.isResting, latency: rank.latency)
            }, for: request.kind)
    }

    private func ask(_ site: RemoteSite, _ request: UpstreamRequest) async throws(UpstreamError) -> OutboundAnswer {
        try await site.health.run("\(site.remote.origin)", request.throttleKey) { () async throws(UpstreamError) in
            let answer = try await site.send(request)
            site.health.note(RateBudget(answer.headers))
            // A page in the place of a file is no answer: the next remote may have one.
            guard answer.status.code == 200 || answer.status.code == 206 else { return answer }
            do throws(UpstreamError) {
                let isGzip = GzipAnswer.isOne(answer.status, answer.headers, to: request)
                let headers = isGzip ? GzipAnswer.plain(answer.headers) : answer.headers
                try UpstreamAnswer(status: answer.status, headers: headers, body: answer.body).check(for: request.resource)
                return answer
            } catch {
                await Wire.discard(answer)
                throw error
            }
        }
    }

    private func wrap(_ answer: OutboundAnswer, _ request: UpstreamRequest, _ site: RemoteSite) async -> UpstreamAnswer {
        if request.method == .head || answer.status == .notModified {
            let length = answer.status == .notModified ? nil : answer.body.length
            await Wire.discardEmpty(answer)
            return UpstreamAnswer(status: answer.status, headers: answer.headers, body: ByteStream(length: length) { nil })
        }
        let book = self.book
        let body = ByteStream(length: answer.body.length) {
            do {
                let chunk = try await answer.body.next()
                if let chunk { book.add(bytes: chunk.readableBytes) }
                return chunk
            } catch let error as OutboundError {
                throw UpstreamError(error)
            } catch {
                throw UpstreamError(error is CancellationError ? .cancelled : .trouble(.cut), "the upstream's answer broke off", cause: error)
            }
        }
        guard GzipAnswer.isOne(answer.status, answer.headers, to: request) else {
            return UpstreamAnswer(status: answer.status, headers: answer.headers, body: body) { site.health.reproach() }
        }
        let plain = GzipAnswer(body, from: "\(site.remote.origin)", on: self.compute)
        return UpstreamAnswer(
            status: answer.status, headers: GzipAnswer.plain(answer.headers), body: ByteStream(length: nil) { try await plain.next() }
        ) { site.health.reproach() }
    }

    private static func outcome(_ error: UpstreamError) -> String {
        switch error.code {
        case .absent: "absent"
        case .cancelled: "cancelled"
        case .trouble(let trouble): "\(trouble)"
        }
    }
}

extension UpstreamRequest {
    /// What a rate limit is about: Docker Hub counts manifests that are fetched, not those that are asked about, and no blobs.
    var throttleKey: String {
        guard case .named(_, _, let rest) = self.resource.location else { return self.method.rawValue }
        return "\(self.method.rawValue) \(rest.prefix { $0 != "/" })"
    }
}
