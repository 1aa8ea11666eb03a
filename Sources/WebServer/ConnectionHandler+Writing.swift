import ArtifactModel
import Glibc
import NIOCore

/// A write that did not get through.
struct SendFailure: Error {
    /// What the client's side had taken of it when last seen, in bytes; may be too little, never too much.
    var taken: Int64
    var cause: any Error
}

extension ConnectionHandler {
    /// Writes the pieces in one go; `done` when the last byte is with the socket.
    func send(_ pieces: [IOData], _ done: CheckedContinuation<Void, any Error>) {
        self.send(pieces) { failure in
            if let failure { done.resume(throwing: failure) } else { done.resume() }
        }
    }

    /// - Parameter done: called once, on the loop; nil: the last byte is with the socket.
    func send(_ reply: ReadyReply, _ done: @escaping (SendFailure?) -> Void) {
        switch reply.answer.body {
        case .none: self.send([.byteBuffer(reply.head)], done)
        case .bytes(let bytes): self.send([.byteBuffer(reply.head), .byteBuffer(bytes)], done)
        case .file(let file, let range):
            let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: file.descriptor)
            let region = FileRegion(fileHandle: handle, readerIndex: Int(range.lowerBound), endIndex: Int(range.upperBound))
            self.send([.byteBuffer(reply.head), .fileRegion(region)]) { failure in
                // The descriptor goes back to `file`, which outlives the write. It was open, so that this cannot fail.
                _ = try? handle.takeDescriptorOwnership()
                withExtendedLifetime(file) {}
                done(failure)
            }
        }
    }

    /// - Parameter done: called once, on the loop; nil: the last byte is with the socket.
    func send(_ pieces: [IOData], _ done: @escaping (SendFailure?) -> Void) {
        guard let context, context.channel.isActive, let last = pieces.last else {
            return done(SendFailure(taken: 0, cause: ChannelError.ioOnClosedChannel))
        }
        // What the client has taken is looked at where it takes long: until then each answer would cost a system call more.
        if self.writesPending == 0 { self.lastProgress = .now() }
        self.writesPending += 1
        let before = self.meter.handedOver
        for piece in pieces.dropLast() { context.write(self.wrapOutboundOut(piece), promise: nil) }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { result in
            self.writesPending -= 1
            switch result {
            case .success: done(nil)
            case .failure(let error): done(SendFailure(taken: max(0, self.lastTaken - before), cause: error))
            }
        }
        context.writeAndFlush(self.wrapOutboundOut(last), promise: promise)
    }

    /// Notes whether the client took anything since the last look.
    func sampleProgress(_ channel: any Channel) {
        let taken = self.meter.taken(channel)
        if taken > self.lastTaken { self.lastProgress = .now() }
        self.lastTaken = max(self.lastTaken, taken)
    }

    /// Closes so that the client cannot take what it has for the whole: by a reset.
    func reset() {
        guard let context else { return }
        self.sampleProgress(context.channel)
        // Without the option the connection still ends, before its declared length or last chunk; a Unix socket has no reset at all.
        _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        context.close(promise: nil)
    }

    /// Ends the connection after its last answer. With input left unread, only our side is closed at first: a close would make the
    /// kernel reset the connection, and the client might lose the answer.
    func finishConnection(unread: Bool) {
        guard let context, context.channel.isActive else { return }
        guard unread, self.mayLinger else { return context.close(promise: nil) }
        self.lingering = true
        self.parts.removeAll()
        self.bufferedBytes = 0
        context.close(mode: .output, promise: nil)
        self.readWhatIsOwed()
        context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(self.timeouts.linger)) { context.close(promise: nil) }
    }

    private var mayLinger: Bool {
        switch self.ending {
        case nil, .refused: true
        case .failed, .inputClosed, .closed: false
        }
    }
}
