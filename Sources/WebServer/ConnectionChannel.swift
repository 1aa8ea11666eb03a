import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

/// Builds a connection's pipeline and serves it to its end.
///
/// ```
/// socket ─ SocketMeter ─ (TLS) ─ ReadyDoor ─ HTTP/1 decoder ─ ConnectionHandler ⇄ the connection's task, on the same event loop
/// ```
/// Responses are written as bytes and file regions: there is no encoder to pass.
struct ConnectionChannel: ServerChildChannel {
    let site: Site
    let entrance: ListenerEntrance
    let identity: TLSIdentity?
    let executors: EventLoopExecutors

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            try channel.syncOptions?.setOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 8192, maximum: 256 << 10))
            if channel.remoteAddress?.ipAddress != nil { try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1) }
            let meter = SocketMeter()
            let desk = ReadyDesk(self.site, at: self.entrance, from: Self.peer(of: channel), self.site.metrics.shard(channel.eventLoop))
            let handler = ConnectionHandler(timeouts: self.site.configuration.timeouts, meter: meter, ready: desk)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(meter)
            if let identity { try pipeline.addHandler(NIOSSLServerHandler(context: identity.current)) }
            try pipeline.addHandler(ReadyDoor(handler, self.site.configuration.limits))
            try pipeline.addHandler(ByteToMessageHandler(self.decoder()))
            try pipeline.addHandler(handler)
            return Connection(channel, handler)
        }
    }

    private static func peer(of channel: any Channel) -> String { channel.remoteAddress?.ipAddress ?? "unix" }

    private func decoder() -> HTTPRequestDecoder {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = self.site.configuration.limits.headBytes
        limits.maxHeaderListSize = self.site.configuration.limits.headBytes
        limits.maxHeaderFieldCount = self.site.configuration.limits.headers
        return HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
    }

    func handle(value: Connection, logger: Logger) async {
        self.site.connections.opened(value.channel)
        defer { self.site.connections.closed(value.channel) }
        let channel = value.channel
        await withTaskCancellationHandler {
            await withTaskExecutorPreference(self.executors[channel.eventLoop]) { await self.serveUntilClosed(value) }
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    /// A connection that goes away cancels what is being done for it.
    private func serveUntilClosed(_ connection: Connection) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.serve(connection) }
            group.addTask {
                // However it was closed, closed it is.
                _ = try? await connection.channel.closeFuture.get()
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func serve(_ connection: Connection) async {
        let shard = self.site.metrics.shard(connection.channel.eventLoop)
        let peer = Self.peer(of: connection.channel)
        while true {
            switch await connection.nextArrival() {
            case .closed: return connection.finish(unread: false)
            case .refused(let why): return await self.refuse(why, connection, from: peer, shard)
            case .head(let head):
                var exchange = Exchange(head, from: peer, at: self.entrance, on: connection, site: self.site, shard: shard)
                guard await exchange.run() else { return }
            }
        }
    }

    /// Answers what was never a request.
    private func refuse(_ why: HeadRefusal, _ connection: Connection, from peer: String, _ shard: MetricsShard) async {
        let plan =
            switch why {
            case .malformed: ResponsePlan(.badRequest, text: "this is not HTTP/1.1")
            case .tooLarge: ResponsePlan(.requestHeaderFieldsTooLarge, text: "the request's head is too large")
            case .slow: ResponsePlan(.requestTimeout, text: "the request took too long to come")
            }
        guard case .bytes(let body) = plan.body else { return }
        var headers = plan.headers
        headers[.contentLength] = String(body.readableBytes)
        headers[.connection] = "close"
        headers[.date] = self.site.date()
        // Told like a request: who probes a server with what is no HTTP should be seen in the log.
        var record = AccessRecord()
        record.id = self.site.requestNumbers.next()
        record.client = peer
        record.operation = "refused"
        record.status = plan.status.code
        record.sent = Int64(body.readableBytes)
        headers[.xRequestID] = record.id
        self.site.securityHeaders.apply(to: &headers, secure: self.entrance.secure)
        self.site.accessLog.write(record)
        shard.add(
            RequestMeasure(record))
        do {
            try await connection.send([.byteBuffer(ResponseHead.bytes(plan.status, headers)), .byteBuffer(body)])
            connection.finish(unread: true)
        } catch {
            // The client did not wait to be told.
            connection.reset()
        }
    }
}
