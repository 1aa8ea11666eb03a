import AsyncHTTPClient
import NIOCore

/// Ends a connection whose other end is silent for too long while something is wanted of it. Nearest to the socket: time in which nobody asks
/// for bytes, because a disk is slow or a bandwidth is kept to, is not the other end's.
final class SilenceWatch: ChannelDuplexHandler {
    typealias InboundIn = Any
    typealias InboundOut = Any
    typealias OutboundIn = Any
    typealias OutboundOut = Any

    private let patience: TimeAmount
    private var isReading = false
    /// When the other end last did something, or was last asked to.
    private var moment: NIODeadline
    private var timer: Scheduled<Void>?

    init(patience: TimeAmount, now: NIODeadline) {
        self.patience = patience
        self.moment = now
    }

    /// What was asked for before is not known: a connection reads as soon as it stands, which may be before this is a part of it.
    func handlerAdded(context: ChannelHandlerContext) {
        self.isReading = true
        self.arm(self.patience, context)
    }

    func read(context: ChannelHandlerContext) {
        if !self.isReading {
            self.isReading = true
            self.moment = context.eventLoop.now
            if self.timer == nil { self.arm(self.patience, context) }
        }
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.isReading = false
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // A kept connection has waited for its next request; its answer is waited for from now on.
        self.moment = context.eventLoop.now
        context.write(data, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.disarm()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.disarm() }

    private func arm(_ delay: TimeAmount, _ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        self.timer = context.eventLoop.scheduleTask(in: delay) {
            let (watch, context) = bound.value
            watch.look(context)
        }
    }

    private func disarm() {
        self.timer?.cancel()
        self.timer = nil
    }

    private func look(_ context: ChannelHandlerContext) {
        self.timer = nil
        guard self.isReading else { return }
        let silent = context.eventLoop.now - self.moment
        guard silent >= self.patience else { return self.arm(self.patience - silent, context) }
        context.fireErrorCaught(HTTPClientError.readTimeout)
        context.close(promise: nil)
    }
}
