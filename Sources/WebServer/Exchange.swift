import AccessControl
import ArtifactModel
import Audit
import FormatAPI
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1
import RepositoryEngine

/// One request and its response: reads the head, asks who answers, sends what they say, and tells log and metrics what came of it.
struct Exchange {
    let site: Site
    let entrance: ListenerEntrance
    let connection: Connection
    let shard: MetricsShard
    let head: HTTPRequestHead
    let started = NIODeadline.now()
    private let peer: String
    private let fields: HTTPFields
    private let forwarding: Forwarding
    private var record: AccessRecord

    init(_ head: HTTPRequestHead, from peer: String, at entrance: ListenerEntrance, on connection: Connection, site: Site, shard: MetricsShard) {
        self.site = site
        self.entrance = entrance
        self.connection = connection
        self.shard = shard
        self.head = head
        self.peer = peer
        self.fields = HTTPFields(head.headers, splitCookie: false)
        self.forwarding = Forwarding(peer: peer, trusted: site.trusts, headers: self.fields)
        self.record = AccessRecord(
            head, id: RequestID.from(self.fields[.xRequestID]) ?? site.requestNumbers.next(), client: self.forwarding.client)
    }

    /// - Returns: whether the connection may carry another request.
    mutating func run() async -> Bool {
        let state = await self.connection.state()
        var request: RequestIntake
        do {
            request = try RequestIntake(
                self.head, headers: self.fields, forwarding: self.forwarding, at: self.entrance, rules: self.site.hostRules,
                limits: self.site.configuration.limits)
        } catch {
            let plan = self.plan(for: error)
            return await self.deliver(plan, bodyLength: nil, mayKeep: !error.closes && state.bodyEnded)
        }
        if let refusal = self.site.audit.refusal, self.entrance.isAudited(request.target) {
            let error = IntakeRefusal(status: .serviceUnavailable, message: refusal)
            return await self.deliver(self.plan(for: error), bodyLength: request.bodyLength, mayKeep: true)
        }
        let place = self.site.place(for: self.record.client, at: self.entrance, request.target)
        defer { place?.release() }
        do {
            try place?.enter()
        } catch {
            self.record.operation = "throttled"
            let plan = self.plan(for: IntakeRefusal(status: .tooManyRequests, message: error.message, retryAfter: error.retryAfter))
            return await self.deliver(plan, bodyLength: request.bodyLength, mayKeep: true)
        }
        let body = state.bodyEnded ? ByteStream.empty : self.connection.body(of: state.number, length: request.bodyLength)
        let explain = request.takeQuestion(from: self.peer)
        let outcome =
            self.entrance.isRedirect && !request.target.isHealth
            ? Redirect.answer(request.method, to: request.origin, self.head.uri)
            : await self.site.answer(
                IncomingRequest(
                    id: self.record.id, method: request.method, target: request.target, headers: request.headers, origin: request.origin,
                    ownRoot: request.ownRoot, body: body, explain: explain, credentials: request.credentials, client: self.forwarding.client,
                    admission: place ?? UnlimitedAdmission()),
                at: self.entrance)
        self.record.note(outcome)
        let gzip = await self.gzip(of: outcome.response, to: request)
        var plan = ResponsePlan(outcome.response, method: request.method, request: request.headers, gzip: gzip, refuse: outcome.refuse)
        if request.credentials != .none { plan.keepPrivate() }
        self.remember(plan, outcome)
        let keeps = await self.deliver(plan, bodyLength: request.bodyLength, mayKeep: true)
        let (isCommand, now) = (self.entrance.isControl, self.site.now())
        let event =
            isCommand ? AuditEvent(command: request, self.record, at: now) : AuditEvent(outcome, request.method, request.credentials, self.record, at: now)
        if let event { self.site.audit.record(event) }
        return keeps
    }

    /// Has the next who ask the same answered without asking.
    private func remember(_ plan: ResponsePlan, _ outcome: RequestOutcome) {
        guard let standing = outcome.standing, self.record.cause == nil, plan.status == .ok || plan.status == .notModified,
            let key = ReadyKey(self.head, self.forwarding, at: self.entrance, idle: self.site.idleFields),
            let body = ReadyBody.of(plan.body, self.site.pageCache, secure: self.entrance.secure)
        else { return }
        let headers = self.headers(plan, Framing(plan, for: self.head, keep: true))
        let method: HTTPRequest.Method = self.head.method == .HEAD ? .head : .get
        let isAudited = AuditEvent.isDue(for: outcome, method, plan.status.code)
        self.site.ready.keep(
            ReadyAnswer(plan, body, headers, outcome, standing, method, self.record, isAudited: isAudited, at: self.site.now()), for: key)
    }

    /// nil: the bytes go as they are, also where compressing them failed.
    private mutating func gzip(of response: ArtifactResponse, to request: RequestIntake) async -> (any ContentSource)? {
        do {
            return try await ResponseCoding(method: request.method, request: request.headers, pool: self.site.pool).gzip(of: response)
        } catch {
            self.record.cause = self.record.cause ?? error
            return nil
        }
    }

    /// A refusal in the words of the format that the path begins with, and in plain text where that is none.
    private func plan(for refusal: IntakeRefusal) -> ResponsePlan {
        let code: FormatError.Code =
            switch refusal.status {
            case .contentTooLarge: .tooLarge
            case .notImplemented: .notServed
            case .serviceUnavailable: .unavailable
            case .tooManyRequests: .throttled
            default: .invalidRequest
            }
        guard var response = self.site.handler.refusal(FormatError(code, refusal.message), of: self.head.uri) else {
            return ResponsePlan(refusal.status, text: refusal.message, headers: refusal.retry)
        }
        response.status = refusal.status
        response.headers[.retryAfter] = refusal.retry[.retryAfter]
        return ResponsePlan(response, method: self.head.method == .HEAD ? .head : .get, request: [:])
    }

    private mutating func deliver(_ plan: ResponsePlan, bodyLength: Int64?, mayKeep: Bool) async -> Bool {
        let state = await self.connection.state()
        let keep = mayKeep && self.mayKeep(state, bodyLength)
        let delivered = await self.send(plan, keep: keep)
        let now = await self.connection.state()
        self.record.received = now.bodyBytes
        self.finishRecord()
        guard delivered else {
            self.connection.reset()
            return false
        }
        guard keep, await self.drain(now) else {
            self.connection.finish(unread: !now.bodyEnded)
            return false
        }
        guard await self.connection.finishExchange() else {
            self.connection.finish(unread: false)
            return false
        }
        return true
    }

    private func mayKeep(_ state: ExchangeState, _ bodyLength: Int64?) -> Bool {
        guard self.head.isKeepAlive, state.mayGoOn, !self.site.isDraining, !state.owesContinue else { return false }
        // After a request to upgrade the decoder reads no further.
        guard !self.head.headers.contains(name: "upgrade"), self.head.method != .CONNECT else { return false }
        // A body that came in plain text is not waited for.
        guard state.bodyEnded || bodyLength == 0 || !self.entrance.isRedirect else { return false }
        return state.bodyEnded || (bodyLength ?? 0) - state.bodyBytes <= self.site.configuration.limits.drainedBody
    }

    /// Throws away what is left of a body that nobody wanted.
    /// - Returns: false where that would be too much.
    private func drain(_ state: ExchangeState) async -> Bool {
        guard !state.bodyEnded else { return true }
        var left = self.site.configuration.limits.drainedBody
        do {
            while let chunk = try await self.connection.nextChunk(of: state.number) {
                left -= Int64(chunk.readableBytes)
                guard left >= 0 else { return false }
            }
            return true
        } catch {
            // The client went; there is no one to tell, and the response was delivered.
            return false
        }
    }

    private mutating func send(_ plan: ResponsePlan, keep: Bool) async -> Bool {
        let framing = Framing(plan, for: self.head, keep: keep)
        self.record.status = plan.status.code
        var sender = self.sender(ResponseHead.bytes(plan.status, self.headers(plan, framing)), chunked: framing.chunked)
        defer {
            self.record.sent = sender.sent
            self.record.firstByte = sender.began.map { Double(($0 - self.started).nanoseconds) / 1e9 }
        }
        do {
            try await sender.send(plan.body)
            return true
        } catch {
            switch error {
            case .client(let cause):
                self.record.cancelled = true
                self.record.cause = self.record.cause ?? (cause as? SendFailure)?.cause ?? cause
                return false
            case .source(let cause):
                self.note(source: cause)
                guard sender.hasNotBegun, !self.record.cancelled else { return false }
                return await self.excuse(plan, cause, &sender)
            }
        }
    }

    private mutating func note(source cause: any Error) {
        self.record.cause = cause
        if cause is CancellationError { self.record.cancelled = true }
        if let error = cause as? FormatError, error.code == .cancelled { self.record.cancelled = true }
        self.record.cut = !self.record.cancelled
    }

    /// Not a byte of the head is out yet: the client is told in its place.
    private mutating func excuse(_ promised: ResponsePlan, _ cause: any Error, _ sender: inout BodySender) async -> Bool {
        let plan = promised.excuse(cause as? FormatError ?? FormatError(.internalFailure, "the content could not be had"), self.head)
        let framing = Framing(plan, for: self.head, keep: false)
        self.record.status = plan.status.code
        self.record.cut = false
        sender = self.sender(ResponseHead.bytes(plan.status, self.headers(plan, framing)), chunked: false)
        // Whether the excuse arrives changes nothing: the connection ends after it.
        _ = try? await sender.send(plan.body)
        return false
    }

    private func sender(_ head: ByteBuffer, chunked: Bool) -> BodySender {
        BodySender(self.connection, head: head, pool: self.site.pool, cache: self.site.pageCache, secure: self.entrance.secure, chunked: chunked)
    }

    private func headers(_ plan: ResponsePlan, _ framing: Framing) -> HTTPFields {
        var headers = plan.headers
        headers[.date] = self.site.date()
        headers[.xRequestID] = self.record.id
        self.site.securityHeaders.apply(to: &headers, secure: self.entrance.secure)
        framing.apply(to: &headers)
        return headers
    }

    private mutating func finishRecord() {
        self.record.seconds = Double((NIODeadline.now() - self.started).nanoseconds) / 1e9
        self.site.accessLog.write(self.record)
        self.shard.add(RequestMeasure(self.record))
    }
}

/// How a response's end is told. RFC 9112, 6.
struct Framing {
    var length: Int64?
    var chunked = false
    var keep: Bool
    private var tellsToKeep = false

    init(_ plan: ResponsePlan, for head: HTTPRequestHead, keep: Bool) {
        self.keep = keep
        if plan.headers[.contentLength] == nil { self.length = plan.length }
        if case .content(_, _) = plan.body, plan.length == nil {
            // HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
            self.chunked = !head.isOld
            self.keep = keep && self.chunked
        }
        self.tellsToKeep = head.isOld
    }

    func apply(to headers: inout HTTPFields) {
        if let length { headers[.contentLength] = String(length) }
        headers[.transferEncoding] = self.chunked ? "chunked" : nil
        headers[.connection] = self.keep ? (self.tellsToKeep ? "keep-alive" : nil) : "close"
    }
}

/// A name for a request, the client's where it is harmless.
enum RequestID {
    static func from(_ given: String?) -> String? {
        guard let given, (1...128).contains(given.utf8.count), given.utf8.allSatisfy(Self.isAllowed) else { return nil }
        return given
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        byte.isASCIILetterOrDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":")
    }
}

extension HTTPRequestHead {
    /// HTTP/1.0: without chunks, and without `Host`.
    var isOld: Bool { self.version.major < 1 || self.version.major == 1 && self.version.minor == 0 }
}

extension FormatError.Code {
    /// For content whose first byte already could not be had.
    var gatewayStatus: HTTPResponse.Status {
        switch self {
        case .upstreamFailed: .badGateway
        case .upstreamUnreachable, .unavailable, .throttled, .noSpace, .cancelled: .serviceUnavailable
        case .upstreamTimedOut: .gatewayTimeout
        case .notFound: .notFound
        case .invalidRequest, .methodNotAllowed, .unauthenticated, .forbidden, .conflict, .preconditionFailed, .readOnly, .digestMismatch, .wrongRange,
            .tooLarge, .unsupported, .notServed, .quotaExceeded, .internalFailure:
            .internalServerError
        }
    }
}
