import ArtifactModel
import HummingbirdCore
import NIOCore
import NIOHTTP1

/// A connection as its task sees it. Every call may be made from any task; what it does happens on the connection's loop.
struct Connection: ServerChildChannelValue {
    let channel: any Channel
    private let handler: NIOLoopBound<ConnectionHandler>

    /// On the channel's loop.
    init(_ channel: any Channel, _ handler: ConnectionHandler) {
        self.channel = channel
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    }

    func nextArrival() async -> Arrival {
        await withCheckedContinuation { waiter in self.onLoop { $0.awaitHead(waiter) } }
    }

    /// The body of the exchange that has just begun; reading it answers `Expect: 100-continue`.
    func body(of exchange: Int, length: Int64?) -> ByteStream {
        ByteStream(length: length) { try await self.nextChunk(of: exchange) }
    }

    func nextChunk(of exchange: Int) async throws -> ByteBuffer? {
        try await withCheckedThrowingContinuation { waiter in self.onLoop { $0.awaitBody(of: exchange, waiter) } }
    }

    /// Returns when the last byte is with the socket.
    /// - Throws: `SendFailure`.
    func send(_ pieces: [IOData]) async throws {
        try await withCheckedThrowingContinuation { done in self.onLoop { $0.send(pieces, done) } }
    }

    /// What is known of the present exchange.
    func state() async -> ExchangeState {
        await withCheckedContinuation { waiter in
            self.onLoop {
                waiter.resume(
                    returning: ExchangeState(
                        number: $0.exchange, bodyEnded: $0.bodyEnded, owesContinue: $0.owesContinue, bodyBytes: $0.bodyBytes,
                        mayGoOn: $0.mayGoOn))
            }
        }
    }

    /// - Returns: whether the connection may carry another request.
    func finishExchange() async -> Bool {
        await withCheckedContinuation { waiter in self.onLoop { waiter.resume(returning: $0.finishExchange()) } }
    }

    func finish(unread: Bool) { self.onLoop { $0.finishConnection(unread: unread) } }
    func reset() { self.onLoop { $0.reset() } }

    private func onLoop(_ work: @escaping @Sendable (ConnectionHandler) -> Void) {
        if self.channel.eventLoop.inEventLoop {
            work(self.handler.value)
        } else {
            self.channel.eventLoop.execute { work(self.handler.value) }
        }
    }
}

struct ExchangeState: Sendable {
    var number: Int
    var bodyEnded: Bool
    /// The client waits for `100 Continue` and may never send its body.
    var owesContinue: Bool
    var bodyBytes: Int64
    /// Neither is the input at its end nor does the server drain.
    var mayGoOn: Bool
}
