import NIOCore

/// One coarse timer for each connection looks after all its time-outs: none costs a request anything.
extension ConnectionHandler {
    func scheduleTick(_ context: ChannelHandlerContext) {
        self.tick = context.eventLoop.assumeIsolated().scheduleTask(in: self.tickLength) {
            guard let context = self.context, context.channel.isActive || self.ending == nil else { return }
            self.look(context)
            if self.context != nil { self.scheduleTick(context) }
        }
    }

    /// A quarter of the shortest time-out, so that none is overrun by more than that; at most five seconds.
    private var tickLength: TimeAmount {
        let shortest = min(self.timeouts.head, self.timeouts.keepAlive, self.timeouts.body, self.timeouts.stall)
        return TimeAmount(min(max(shortest / 4, .milliseconds(10)), .seconds(5)))
    }

    private func look(_ context: ChannelHandlerContext) {
        let now = NIODeadline.now()
        self.lookAtWrites(context, now)
        guard context.channel.isActive, !self.lingering else { return }
        switch self.reader {
        case .nobody: break
        case .head: self.lookAtHead(context, now)
        case .body(let waiter, let since):
            guard now - max(since, self.meter.lastReceived) >= TimeAmount(self.timeouts.body) else { return }
            self.reader = .nobody
            self.ending = .failed(BodyStalled())
            waiter.resume(throwing: BodyStalled.error)
        }
    }

    private func lookAtWrites(_ context: ChannelHandlerContext, _ now: NIODeadline) {
        guard self.writesPending > 0 else { return }
        self.sampleProgress(context.channel)
        if now - self.lastProgress >= TimeAmount(self.timeouts.stall) { self.reset() }
    }

    private func lookAtHead(_ context: ChannelHandlerContext, _ now: NIODeadline) {
        if self.headSince == nil, self.meter.received > self.receivedBefore { self.headSince = self.meter.lastReceived }
        if let headSince {
            guard now - headSince >= TimeAmount(self.timeouts.head), case .head(let waiter) = self.reader else { return }
            self.reader = .nobody
            // A connection that never said anything is closed without a word.
            waiter.resume(returning: self.meter.received > self.receivedBefore ? .refused(.slow) : .closed)
        } else if now - self.idleSince >= TimeAmount(self.timeouts.keepAlive) {
            context.close(promise: nil)
        }
    }
}
