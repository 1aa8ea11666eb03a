import NIOCore

/// Stands before the HTTP decoder: a plain request whose answer is ready is answered from its bytes as they come, and never becomes a head with fields.
/// Everything else goes on to the decoder as it came, a request at a time.
///
/// Whether the next byte begins a request it knows only while every request so far was a plain one; after the first that was not, all goes to the decoder,
/// and the handler behind it looks for ready answers by itself.
final class ReadyDoor: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let handler: ConnectionHandler
    private let limits: Limits
    /// Whether nobody knows here where the next request begins.
    private var isBlind = false
    /// What is still to come of the body of the request that went on last, in bytes.
    private var bodyLeft = 0

    init(_ handler: ConnectionHandler, _ limits: Limits) { (self.handler, self.limits) = (handler, limits) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isBlind else { return context.fireChannelRead(data) }
        var bytes = self.unwrapInboundIn(data)
        var given = 0
        while bytes.readableBytes > 0, !self.isBlind {
            var count = min(self.bodyLeft, bytes.readableBytes)
            if count == 0 {
                switch self.enter(bytes, mayGive: given < ConnectionHandler.mostInARow) {
                case .given(let length):
                    bytes.moveReaderIndex(forwardBy: length)
                    given += 1
                    continue
                case .plain(let head):
                    self.bodyLeft = head.bodyLength
                    count = min(head.length + head.bodyLength, bytes.readableBytes)
                    self.bodyLeft -= count - head.length
                case .unknown:
                    self.isBlind = true
                    count = bytes.readableBytes
                }
            } else {
                self.bodyLeft -= count
            }
            guard let part = bytes.readSlice(length: count) else { return }
            context.fireChannelRead(self.wrapInboundOut(part))
        }
    }

    private enum Entry {
        /// It is answered, or being answered; of so many bytes.
        case given(Int)
        case plain(PlainHead)
        case unknown
    }

    private func enter(_ bytes: ByteBuffer, mayGive: Bool) -> Entry {
        bytes.withUnsafeReadableBytes { text in
            guard let head = PlainHead(text, idle: self.handler.ready.site.idleFields, self.limits) else { return .unknown }
            guard mayGive, head.mayBeReady, self.handler.isWaiting, let reply = self.handler.ready.reply(to: head, in: text) else { return .plain(head) }
            self.handler.give(reply)
            return .given(head.length)
        }
    }
}
