import NIOCore
import NIOHTTP1

/// The end of a connection's pipeline: hands a request's parts to the connection's task as it asks for them, holds reading back while
/// it does not, and watches the clock. Lives on its event loop.
///
/// ```
/// between requests ──head──▶ in an exchange ──finish──▶ between requests
///        └──────────── quiesce, idle, slow head, end of input ──────────▶ ending
/// ```
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = Never
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// Who waits for the next part.
    enum Reader {
        case nobody
        case head(CheckedContinuation<Arrival, Never>)
        case body(CheckedContinuation<ByteBuffer?, any Error>, since: NIODeadline)
    }

    static let mostBufferedBytes = 512 << 10
    static let mostBufferedParts = 64
    /// Ready answers that are given without a look at other connections.
    static let mostInARow = 16

    let timeouts: Timeouts
    let meter: SocketMeter
    let ready: ReadyDesk
    var context: ChannelHandlerContext?
    var reader = Reader.nobody
    var parts = CircularBuffer<HTTPServerRequestPart>()
    var bufferedBytes = 0
    /// The channel asked to read while enough was waiting.
    private var readIsOwed = false
    var ending: Ending?
    /// Counts the connection's exchanges: a body that outlives its own must not take the next one's parts.
    var exchange = 0
    var givenInARow = 0
    var inExchange = false
    var bodyEnded = true
    /// What came of the present exchange's body, in bytes.
    var bodyBytes: Int64 = 0
    /// The client waits to be told to go on.
    var owesContinue = false
    var quiescing = false
    /// Input is thrown away until the connection closes.
    var lingering = false
    /// When the present wait for a head began, and how much had been received then. A part of a head that came along with the request
    /// before it is not seen until more follows: the time for idle connections bounds it.
    var idleSince = NIODeadline.now()
    var receivedBefore: Int64 = 0
    var headSince: NIODeadline?
    var tick: Scheduled<Void>?
    var writesPending = 0
    var lastTaken: Int64 = 0
    var lastProgress = NIODeadline.now()

    init(timeouts: Timeouts, meter: SocketMeter, ready: ReadyDesk) {
        self.ready = ready
        self.timeouts = timeouts
        self.meter = meter
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.headSince = .now()
        self.scheduleTick(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.end(.closed)
        self.tick?.cancel()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if self.lingering { return }
        let part = self.unwrapInboundIn(data)
        if case .body(let bytes) = part { self.bufferedBytes += bytes.readableBytes }
        self.parts.append(part)
        self.serve()
    }

    func read(context: ChannelHandlerContext) {
        if self.hasEnough { self.readIsOwed = true } else { context.read() }
    }

    private var hasEnough: Bool { !self.lingering && (self.bufferedBytes >= Self.mostBufferedBytes || self.parts.count >= Self.mostBufferedParts) }

    func readWhatIsOwed() {
        guard self.readIsOwed, !self.hasEnough, let context else { return }
        self.readIsOwed = false
        context.read()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.end(.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // After its error the decoder reports everything else that comes; the task has been told.
        if error is ByteToMessageDecoderError { return }
        guard let error = error as? HTTPParserError else {
            self.end(.failed(error))
            context.close(promise: nil)
            return
        }
        // The decoder stops here; the task answers, and closes.
        // A head that still waits in `parts` began an exchange as well: it is its body that is wrong.
        self.end(self.inExchange && !self.bodyEnded || !self.parts.isEmpty ? .failed(error) : .refused(error == .headerOverflow ? .tooLarge : .malformed))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            self.quiescing = true
            if !self.inExchange, self.parts.isEmpty, self.meter.received == self.receivedBefore { context.close(promise: nil) }
        } else if let event = event as? ChannelEvent, event == .inputClosed {
            if self.lingering { context.close(promise: nil) } else { self.end(.inputClosed) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        self.sampleProgress(context.channel)
        context.close(mode: mode, promise: promise)
    }

    /// Whether there is, or may come, something to answer after the present exchange.
    var mayGoOn: Bool {
        if self.quiescing { return false }
        switch self.ending {
        case nil, .refused: return true
        case .failed, .closed: return false
        case .inputClosed: return self.parts.contains { if case .head = $0 { true } else { false } }
        }
    }

    private func end(_ ending: Ending) {
        if case .closed = ending { self.ending = .closed } else if self.ending == nil { self.ending = ending }
        self.serve()
    }
}

/// What the connection's task gets when it asks for a request.
enum Arrival: Sendable {
    case head(HTTPRequestHead)
    case refused(HeadRefusal)
    case closed
}

enum HeadRefusal: Sendable { case malformed, tooLarge, slow }

/// Why no more parts will come.
enum Ending {
    case refused(HeadRefusal)
    case failed(any Error)
    case inputClosed, closed
}
