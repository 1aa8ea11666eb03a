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
    let logger: Logger

    public var figures: UpstreamFigures { self.book.now }

    public func fullName(_ name: String) -> String { Remote.fullName(name, officialPrefix: self.sites.first?.officialPrefix) }

    public func send(_ request: UpstreamRequest) async throws(UpstreamError) -> UpstreamAnswer {
        do throws(UpstreamError) {
            let answer = try await self.ask(request)
            self.book.count(answer.status == .notModified ? "notModified" : "ok")
            return await self.wrap(answer, request)
        } catch {
            self.book.count(Self.outcome(error))
            throw error
        }
    }

    /// In order, until one answers or knows that there is nothing. That a mirror lacks it says nothing where the canonical one is in trouble.
    private func ask(_ request: UpstreamRequest) async throws(UpstreamError) -> OutboundAnswer {
        var first: UpstreamError?
        for site in self.sites {
            do throws(UpstreamError) {
                return try await site.health.run("\(site.remote.origin)") { () async throws(UpstreamError) in try await site.send(request) }
            } catch {
                if error.code == .cancelled { throw error }
                if error.code == .absent, first == nil { throw error }
                self.logger.debug("upstream in trouble", metadata: ["upstream": "\(site.remote.origin)", "reason": "\(error.message)"])
                first = first ?? error
            }
            // What a document named has no mirror.
            if case .absolute = request.resource.location { break }
        }
        throw first ?? UpstreamError(.trouble(.failed), "there is no upstream")
    }

    private func wrap(_ answer: OutboundAnswer, _ request: UpstreamRequest) async -> UpstreamAnswer {
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
        return UpstreamAnswer(status: answer.status, headers: answer.headers, body: body)
    }

    private static func outcome(_ error: UpstreamError) -> String {
        switch error.code {
        case .absent: "absent"
        case .cancelled: "cancelled"
        case .trouble(let trouble): "\(trouble)"
        }
    }
}
