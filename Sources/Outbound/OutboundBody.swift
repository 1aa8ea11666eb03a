import ArtifactModel
import AsyncHTTPClient
import NIOCore

/// A body as it comes, paced. Letting go of it hangs up, where it has not come to its end.
///
/// Sendable because `ByteStream` has one reader at a time, by its contract, and the iterator is touched by nobody else.
final class OutboundBody: @unchecked Sendable {
    private var iterator: HTTPClientResponse.Body.AsyncIterator?
    private let origin: WebOrigin
    private let declared: Int64?
    private var received: Int64 = 0
    private var slot: ConnectionSlots.Slot?
    private let pace: Pace?
    private var pause: Duration = .zero

    init(_ response: HTTPClientResponse, from origin: WebOrigin, declared: Int64?, slot: ConnectionSlots.Slot, pace: Pace?) {
        self.iterator = response.body.makeAsyncIterator()
        self.origin = origin
        self.declared = declared
        self.slot = slot
        self.pace = pace
    }

    /// - Throws: `OutboundError`.
    func next() async throws -> ByteBuffer? {
        do {
            if self.pause > .zero { try await self.pace?.sleep(self.pause) }
            guard let chunk = try await self.iterator?.next() else {
                self.end()
                // A cancelled reader is told the end too.
                try Task.checkCancellation()
                if let declared, self.received < declared {
                    throw OutboundError(.cut, "\(self.origin) sent \(self.received) of \(declared) bytes")
                }
                return nil
            }
            self.received += Int64(chunk.readableBytes)
            self.pause = self.pace?.take(chunk.readableBytes) ?? .zero
            return chunk
        } catch {
            self.end()
            throw OutboundError(error, self.origin, inBody: true)
        }
    }

    func end() {
        self.iterator = nil
        self.slot = nil
    }
}
