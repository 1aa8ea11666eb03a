import ArtifactModel
import HTTPTypes
import NIOCore
import Outbound
import RepositoryEngine

/// One repository's connections, with the errors of its upstream.
struct Wire: Sendable {
    let client: OutboundClient
    /// Where any address is right: the operator named them.
    let configured: Set<WebOrigin>

    func send(
        _ method: HTTPRequest.Method, _ destination: Destination, _ fields: HTTPFields, body: ByteBuffer? = nil
    ) async throws(UpstreamError) -> OutboundAnswer {
        let reach: OutboundClient.Reach = self.configured.contains(destination.origin) ? .configured : .elsewhere
        do {
            return try await self.client.send(method, destination, fields, body: body, reach: reach)
        } catch {
            guard error.code == .cut else { throw UpstreamError(error) }
        }
        // A kept connection may have been closed by its other end just now: GET and HEAD are asked once more, and so is POST, which only asks
        // something here and changes nothing.
        do {
            return try await self.client.send(method, destination, fields, body: body, reach: reach)
        } catch {
            throw UpstreamError(error)
        }
    }

    /// Reads what little is left, so that the connection can be used again.
    static func discard(_ answer: OutboundAnswer) async {
        defer { answer.hangUp() }
        guard let length = answer.body.length, length <= 64 << 10 else { return }
        // Nobody needs these bytes: where they break off, the connection goes.
        while let chunk = try? await answer.body.next(), chunk.readableBytes > 0 {}
    }

    /// To the end of an answer that has no body.
    static func discardEmpty(_ answer: OutboundAnswer) async {
        defer { answer.hangUp() }
        // Whatever comes here, the head is all that was wanted.
        _ = try? await answer.body.next()
    }
}
