import NIOCore
import NIOPosix
import NIOSSL

/// A client over TLS that believes every certificate, and tells which it saw.
struct SecureClient: Sendable {
    struct Answer: Sendable {
        /// All that came, head and body, until the server closed.
        var bytes: [UInt8] = []
        /// The certificate's, in hex; nil: no handshake was done.
        var serial: String?
        var text: String { String(decoding: self.bytes, as: UTF8.self) }
    }

    private let channel: any Channel
    private let answer: EventLoopFuture<Answer>

    /// - Parameter reads: false: after the first bytes nothing is read before `rest`.
    static func connect(port: Int, version: TLSVersion? = nil, reads: Bool = true) async throws -> SecureClient {
        let answer = NIOSingletons.posixEventLoopGroup.any().makePromise(of: Answer.self)
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        if let version { (configuration.minimumTLSVersion, configuration.maximumTLSVersion) = (version, version) }
        let context = try NIOSSLContext(configuration: configuration)
        let channel = try await ClientBootstrap(group: answer.futureResult.eventLoop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let tls = try NIOSSLClientHandler(context: context, serverHostname: nil)
                try channel.pipeline.syncOperations.addHandlers([tls, Collector(answer, tls, reads)])
            }
        }.connect(host: "127.0.0.1", port: port).get()
        return SecureClient(channel: channel, answer: answer.futureResult)
    }

    static func fetch(_ path: String, port: Int, version: TLSVersion? = nil) async throws -> Answer {
        let client = try await Self.connect(port: port, version: version)
        try await client.request(path)
        return try await client.answer.get()
    }

    /// The server closes after its answer. A handshake that fails shows in the answer.
    func request(_ path: String) async throws {
        self.channel.writeAndFlush(ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), promise: nil)
    }

    func rest() async throws -> Answer {
        self.channel.setOption(.autoRead, value: true).whenComplete { _ in self.channel.read() }
        return try await self.answer.get()
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let done: EventLoopPromise<Answer>
        private let tls: NIOSSLClientHandler
        private let reads: Bool
        private var answer = Answer()

        init(_ done: EventLoopPromise<Answer>, _ tls: NIOSSLClientHandler, _ reads: Bool) {
            self.done = done
            self.tls = tls
            self.reads = reads
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if self.answer.serial == nil {
                self.answer.serial = self.tls.peerCertificate?.serialNumber.map { String($0, radix: 16) }.joined()
                // It is set on the loop itself, at once; a channel that is gone reads nothing either.
                if !self.reads { context.channel.setOption(.autoRead, value: false).whenComplete { _ in } }
            }
            self.answer.bytes += self.unwrapInboundIn(data).readableBytesView
        }

        func channelInactive(context: ChannelHandlerContext) { self.done.succeed(self.answer) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
