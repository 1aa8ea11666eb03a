import FormatAPI
import NIOCore
import NIOHTTP1

/// What the connection's task asks for. One wait at a time.
extension ConnectionHandler {
    func awaitHead(_ waiter: CheckedContinuation<Arrival, Never>) {
        self.reader = .head(waiter)
        self.serve()
    }

    /// The next piece of a body; nil at its end.
    func awaitBody(of exchange: Int, _ waiter: CheckedContinuation<ByteBuffer?, any Error>) {
        guard exchange == self.exchange, self.inExchange else {
            return waiter.resume(throwing: FormatError(.cancelled, "the request is over"))
        }
        guard case .nobody = self.reader else {
            return waiter.resume(throwing: FormatError(.internalFailure, "a body has one reader at a time"))
        }
        if self.bodyEnded { return waiter.resume(returning: nil) }
        self.sayContinue()
        self.reader = .body(waiter, since: .now())
        self.serve()
    }

    /// Tells the client to send the body, where it waits to be told. RFC 9110, 10.1.1.
    private func sayContinue() {
        guard self.owesContinue, let context else { return }
        self.owesContinue = false
        guard self.parts.isEmpty else { return }
        context.writeAndFlush(self.wrapOutboundOut(.byteBuffer(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"))), promise: nil)
    }

    /// Ends the exchange: what follows belongs to the next. The body has been read to its end.
    /// - Returns: whether there may be a next.
    func finishExchange() -> Bool {
        self.inExchange = false
        self.idleSince = .now()
        self.headSince = nil
        self.receivedBefore = self.meter.received
        return self.mayGoOn
    }

    /// Gives what is there to who waits for it.
    func serve() {
        switch self.reader {
        case .nobody: return
        case .head(let waiter): self.serveHead(waiter)
        case .body(let waiter, _): self.serveBody(waiter)
        }
        self.readWhatIsOwed()
    }

    private func serveHead(_ waiter: CheckedContinuation<Arrival, Never>) {
        while let part = self.parts.popFirst() {
            guard case .head(let head) = part else { continue }
            self.beginExchange(head)
            self.reader = .nobody
            // What has a field that speaks of a body is never answered so.
            if self.mayGoOn, let reply = self.ready.reply(to: head) { return self.give(reply, waiter) }
            return waiter.resume(returning: .head(head))
        }
        guard let ending else { return }
        self.reader = .nobody
        if case .refused(let why) = ending { waiter.resume(returning: .refused(why)) } else { waiter.resume(returning: .closed) }
    }

    /// Whether the next request may be answered before the decoder has seen it: none is before it, and somebody waits for one.
    var isWaiting: Bool {
        guard case .head = self.reader, self.parts.isEmpty, self.ending == nil, !self.lingering else { return false }
        return self.mayGoOn
    }

    /// Answers a request that had no body and never came by here. Only while `isWaiting`.
    func give(_ reply: ReadyReply) {
        guard case .head(let waiter) = self.reader else { return }
        self.reader = .nobody
        self.exchange += 1
        self.inExchange = true
        self.bodyEnded = true
        self.bodyBytes = 0
        self.headSince = nil
        self.owesContinue = false
        self.give(reply, waiter)
    }

    /// Sends what is ready, while the connection's task waits on for a head.
    private func give(_ reply: ReadyReply, _ waiter: CheckedContinuation<Arrival, Never>) {
        self.send(reply) { failure in
            self.ready.finish(reply, failure: failure)
            if failure != nil { self.reset() }
            guard failure == nil, self.finishExchange() else { return waiter.resume(returning: .closed) }
            self.givenInARow += 1
            guard self.givenInARow >= Self.mostInARow, let context = self.context else { return self.awaitHead(waiter) }
            // A client may send thousands at once; others on this loop have their turn between. What is to be run at once would come before what they sent is
            // read: a moment later, their sockets have been looked at.
            self.givenInARow = 0
            context.eventLoop.assumeIsolated().scheduleTask(in: .microseconds(1)) { self.awaitHead(waiter) }
        }
    }

    private func beginExchange(_ head: HTTPRequestHead) {
        self.exchange += 1
        self.inExchange = true
        self.bodyEnded = false
        self.bodyBytes = 0
        self.headSince = nil
        self.owesContinue = head.version.minor >= 1 && head.headers.first(name: "expect")?.lowercased() == "100-continue"
        // A request without a body is ended by the same read, so that nobody has to wait for it.
        if case .end = self.parts.first {
            self.parts.removeFirst()
            self.bodyEnded = true
            self.owesContinue = false
        }
    }

    private func serveBody(_ waiter: CheckedContinuation<ByteBuffer?, any Error>) {
        switch self.parts.popFirst() {
        case .body(let bytes):
            self.reader = .nobody
            self.bufferedBytes -= bytes.readableBytes
            self.bodyBytes += Int64(bytes.readableBytes)
            waiter.resume(returning: bytes)
        case .end:
            self.reader = .nobody
            self.bodyEnded = true
            waiter.resume(returning: nil)
        case .head, nil:
            guard let ending else { return }
            self.reader = .nobody
            waiter.resume(throwing: Self.cut(ending))
        }
    }

    /// A body that broke off must never look like one that ended.
    private static func cut(_ ending: Ending) -> FormatError {
        switch ending {
        case .failed(let error as HTTPParserError) where error != .invalidEOFState:
            FormatError(.invalidRequest, "the request's body is malformed", cause: error)
        case .failed(let error): FormatError(.cancelled, "the connection broke while the body was read", cause: error)
        case .refused: FormatError(.invalidRequest, "the request's body is malformed")
        case .inputClosed, .closed: FormatError(.cancelled, "the connection was closed while the body was read")
        }
    }
}
