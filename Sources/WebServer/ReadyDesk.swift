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

    init(_ site: Site, at entrance: ListenerEntrance, from peer: String, _ shard: MetricsShard) {
        self.site = site
        self.entrance = entrance
        self.peer = peer
        self.isTrusted = site.trusts(peer)
        self.shard = shard
    }

    /// nil: it is answered by asking.
    func reply(to head: HTTPRequestHead) -> ReadyReply? {
        guard !self.site.isDraining, self.site.audit.refusal == nil else { return nil }
        let forwarding = self.isTrusted ? Forwarding(peer: self.peer, trusted: self.site.trusts, headers: HTTPFields(head.headers, splitCookie: false)) : nil
        guard let key = ReadyKey(head, forwarding, at: self.entrance, idle: self.site.idleFields) else { return nil }
        let now = self.site.now()
        guard let answer = self.site.ready.answer(to: key, at: now) else { return nil }
        let client = forwarding?.client ?? self.peer
        let place = self.site.limits?.place(for: client)
        // Who sends too many is told so by the exchange.
        do { try place?.enter(counts: false) } catch { return nil }
        answer.standing.noteUse()
        let id = RequestID.from(head.headers.first(name: "x-request-id")) ?? self.site.requestNumbers.next()
        return ReadyReply(answer: answer, head: answer.head(id: id, date: self.site.date(now), now: now), id: id, client: client, request: head, place: place)
    }

    func finish(_ reply: ReadyReply, failure: SendFailure?) {
        reply.place?.release()
        let outcome = reply.answer.outcome
        var record = AccessRecord(reply.request, id: reply.id, client: reply.client)
        record.note(outcome)
        record.status = reply.answer.status
        record.seconds = Double((NIODeadline.now() - reply.started).nanoseconds) / 1e9
        if let failure {
            record.cancelled = true
            record.cause = failure.cause
            record.sent = max(0, failure.taken - Int64(reply.head.readableBytes))
        } else {
            record.sent = Int64(reply.answer.body?.readableBytes ?? 0)
            record.firstByte = record.seconds
        }
        self.site.accessLog.write(record)
        self.shard.add(RequestMeasure(record))
        guard reply.answer.isAudited, let event = AuditEvent(outcome, reply.request.method == .HEAD ? .head : .get, .none, record, at: self.site.now())
        else { return }
        self.site.audit.record(event)
    }
}

/// A ready answer on its way to one client.
struct ReadyReply {
    let answer: ReadyAnswer
    let head: ByteBuffer
    let id: String
    let client: String
    let request: HTTPRequestHead
    let place: RequestPlace?
    let started = NIODeadline.now()

    var pieces: [IOData] { [.byteBuffer(self.head)] + (self.answer.body.map { [.byteBuffer($0)] } ?? []) }
}
