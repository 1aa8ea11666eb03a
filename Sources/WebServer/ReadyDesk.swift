import AccessControl
import ArtifactModel
import Audit
import FormatAPI
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1
import RepositoryEngine

/// One connection's way to the answers that are ready: finds the one for a head, and tells log, metrics and audit what came of it, as `Exchange` does of all
/// others. On the connection's loop; never waits.
final class ReadyDesk {
    let site: Site
    let entrance: ListenerEntrance
    let peer: String
    /// Whether the peer is a proxy that is believed.
    let isTrusted: Bool
    let shard: MetricsShard
    /// What the last key was written in.
    private var space: [UInt8] = []

    init(_ site: Site, at entrance: ListenerEntrance, from peer: String, _ shard: MetricsShard) {
        self.site = site
        self.entrance = entrance
        self.peer = peer
        self.isTrusted = site.trusts(peer)
        self.shard = shard
    }

    /// nil: it is answered by asking.
    func reply(to head: HTTPRequestHead) -> ReadyReply? {
        let forwarding = self.isTrusted ? Forwarding(peer: self.peer, trusted: self.site.trusts, headers: HTTPFields(head.headers, splitCookie: false)) : nil
        guard let key = ReadyKey(head, forwarding, at: self.entrance, idle: self.site.idleFields) else { return nil }
        return self.reply(to: key, of: forwarding?.client ?? self.peer, id: RequestID.from(head.headers.first(name: "x-request-id")))
    }

    /// nil: it is answered by asking, or by what the decoder makes of it.
    /// - Parameter text: what the head lies in.
    func reply(to head: PlainHead, in text: UnsafeRawBufferPointer) -> ReadyReply? {
        // What a proxy says is for the decoded head.
        guard !self.isTrusted, self.entrance.mayBeReady else { return nil }
        let id = head.fields.requestID.flatMap { RequestID.from(String(decoding: text[$0], as: UTF8.self)) }
        return self.reply(to: ReadyKey(head, in: text, at: self.entrance, space: &self.space), of: self.peer, id: id)
    }

    private func reply(to key: ReadyKey, of client: String, id: String?) -> ReadyReply? {
        guard !self.site.isDraining, self.site.audit.refusal == nil else { return nil }
        let now = self.site.now()
        guard let answer = self.site.ready.answer(to: key, at: now) else { return nil }
        if case .file(let file, let range) = answer.body, self.site.pageCache.holds(file.descriptor, range) != true { return nil }
        let place = self.site.limits?.place(for: client)
        // Who sends too many is told so by the exchange.
        do { try place?.enter(counts: false) } catch { return nil }
        answer.standing.noteUse()
        let id = id ?? self.site.requestNumbers.next()
        return ReadyReply(answer: answer, head: answer.head(id: id, date: self.site.date(now), now: now), id: id, client: client, place: place)
    }

    func finish(_ reply: ReadyReply, failure: SendFailure?) {
        reply.place?.release()
        let seconds = Double((NIODeadline.now() - reply.started).nanoseconds) / 1e9
        guard failure != nil || reply.answer.isAudited else {
            self.site.accessLog.write(reply.answer.line, id: reply.id, client: reply.client, seconds: seconds)
            return self.shard.add(reply.answer.measure, seconds)
        }
        var record = reply.answer.record
        (record.id, record.client, record.seconds) = (reply.id, reply.client, seconds)
        if let failure {
            record.cancelled = true
            record.cause = failure.cause
            record.sent = max(0, failure.taken - Int64(reply.head.readableBytes))
        } else {
            record.firstByte = seconds
        }
        self.site.accessLog.write(record)
        self.shard.add(RequestMeasure(record))
        guard let event = AuditEvent(reply.answer.outcome, reply.answer.method, .none, record, at: self.site.now()), reply.answer.isAudited else { return }
        self.site.audit.record(event)
    }
}

/// A ready answer on its way to one client.
struct ReadyReply {
    let answer: ReadyAnswer
    let head: ByteBuffer
    let id: String
    let client: String
    let place: RequestPlace?
    let started = NIODeadline.now()
}
