import NIOCore
import NIOPosix
import Synchronization

/// Answers every connection's first bytes with the same bytes, on a free port of loopback, and counts what came.
final class LoopbackServer: Sendable {
    private let channel: any Channel
    private let counts: Counts

    private final class Counts: Sendable {
        let heard = Mutex(0)
    }

    private init(_ channel: any Channel, _ counts: Counts) {
        self.channel = channel
        self.counts = counts
    }

    var port: Int { self.channel.localAddress?.port ?? 0 }
    /// Bytes of requests.
    var heard: Int { self.counts.heard.withLock { $0 } }

    static func run<T>(_ answer: ByteBuffer, _ body: (LoopbackServer) async throws -> T) async throws -> T {
        let counts = Counts()
        let channel = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Handler(answer, counts)) }
            }.bind(host: "127.0.0.1", port: 0).get()
        do {
            let result = try await body(LoopbackServer(channel, counts))
            try await channel.close()
            return result
        } catch {
            try await channel.close()
            throw error
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let answer: ByteBuffer
        private let counts: Counts

        init(_ answer: ByteBuffer, _ counts: Counts) {
            self.answer = answer
            self.counts = counts
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let count = self.unwrapInboundIn(data).readableBytes
            self.counts.heard.withLock { $0 += count }
            context.writeAndFlush(self.wrapOutboundOut(self.answer), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
