import NIOCore

/// Counts what passes between the socket and everything else, in bytes: ciphertext under TLS. First in the pipeline; on its loop only.
final class SocketMeter: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private(set) var received: Int64 = 0
    private(set) var lastReceived = NIODeadline.now()
    /// Given to the socket; what of it is still queued is the channel's `bufferedWritableBytes`.
    private(set) var handedOver: Int64 = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.received += Int64(self.unwrapInboundIn(data).readableBytes)
        self.lastReceived = .now()
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        self.handedOver += Int64(self.unwrapOutboundIn(data).readableBytes)
        context.write(data, promise: promise)
    }

    /// What the client's side of the connection has taken.
    func taken(_ channel: any Channel) -> Int64 {
        // A closed channel has no such option: nothing is known beyond what was handed over then, and the caller keeps its last sample.
        guard channel.isActive, let queued = try? channel.syncOptions?.getOption(.bufferedWritableBytes) else { return 0 }
        return self.handedOver - Int64(queued)
    }
}
