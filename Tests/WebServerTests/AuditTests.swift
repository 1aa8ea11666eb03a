import AccessControl
import ArtifactModel
import Audit
import BlockingWork
import FormatAPI
import HTTPTypes
import NIOCore
import RepositoryEngine
import Synchronization
import Testing

@testable import WebServer

/// What of an answered request is a line of the audit trail.
@Suite("A line of the audit trail")
struct AuditTests {
    /// A request and what came of it.
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var kind: AuditEvent.Kind?
        var method = "GET"
        var status: HTTPResponse.Status
        var credentials = ["Authorization: Bearer x"]
        var note = AuditNote()

        init(_ what: String, _ kind: AuditEvent.Kind?, _ status: HTTPResponse.Status, _ change: (inout Case) -> Void) {
            (self.testDescription, self.kind, self.status) = (what, kind, status)
            change(&self)
        }

        /// Of something, in the format's words; `isFetch`: of an artifact.
        mutating func reads(isFetch: Bool, _ rule: String = "", digest: String = "") {
            self.note.action = .read
            self.note.isFetch = isFetch
            self.note.subject = "team/app:1.0"
            self.note.rule = rule
            self.note.digest = digest
        }
    }

    private static let cases = [
        Case("a pull", .pull, .ok) { $0.reads(isFetch: true, digest: "sha256:00") },
        Case("a pull of what the client has", .pull, .notModified) { $0.reads(isFetch: true, digest: "sha256:00") },
        Case("a look at what there is", nil, .ok) {
            $0.method = "HEAD"
            $0.reads(isFetch: true, digest: "sha256:00")
        },
        Case("a pull that a grant hides", .pull, .notFound) { $0.reads(isFetch: true, "grant") },
        Case("a pull that a rule forbids", .pull, .forbidden) { $0.reads(isFetch: true, "routingRule no-secrets") },
        Case("a pull with a ticket for something else", .pull, .unauthorized) { $0.reads(isFetch: true, "grant") },
        Case("a look that is refused: docker asks no further", .pull, .unauthorized) {
            $0.method = "HEAD"
            $0.reads(isFetch: true, "grant")
        },
        Case("a pull of what is not there", .pull, .notFound) { $0.reads(isFetch: true) },
        Case("a pull of what an upstream does not give", .pull, .badGateway) { $0.reads(isFetch: true) },
        Case("a look for what is not there", nil, .notFound) {
            $0.method = "HEAD"
            $0.reads(isFetch: true)
        },
        Case("a list that is refused", .read, .notFound) { $0.reads(isFetch: false, "grant") },
        Case("a list", nil, .ok) { $0.reads(isFetch: false) },
        Case("a list of nothing", nil, .notFound) { $0.reads(isFetch: false) },
        Case("nobody in particular, who is asked to sign in", nil, .unauthorized) {
            $0.credentials = []
            $0.reads(isFetch: true, "grant")
        },
        Case("an explanation", nil, .ok) { $0.note.action = .explain },
        Case("an explanation that is refused", .read, .forbidden) { $0.note.rule = "grant" },
    ]

    @Test("says what kind of thing was done, and to whom it was refused", arguments: Self.cases)
    func kinds(_ it: Case) async throws {
        let sink = KeptEvents()
        try await TestServer.run(Answerer(it: it), audit: sink) { server in
            try await server.talk { client in
                // What came of a request is recorded before its connection's next one is looked at.
                client.send((["\(it.method) /x HTTP/1.1", "Host: localhost"] + it.credentials).joined(separator: "\r\n") + "\r\n\r\n")
                _ = try client.response(toHead: it.method == "HEAD")
                client.send("GET /end HTTP/1.1\r\nHost: localhost\r\n\r\n")
                _ = try client.response()
            }
        }
        let event = sink.events.first
        #expect(event?.kind == it.kind)
        if let event { #expect(event.status == it.status.code && event.rule == it.note.rule && event.subject == it.note.subject) }
    }
}

/// What an administrator does at the socket must not go unrecorded where what clients do may not.
@Suite("While nothing can be recorded, and so nothing may be done")
struct RefusingAuditTests {
    @Test(
        "a command that changes something is refused before it is done, and others are answered",
        arguments: [("POST /change", true), ("POST /order?change=yes", true), ("POST /order", false), ("POST /look", false), ("GET /status", false)])
    func commands(_ command: String, _ isRefused: Bool) async throws {
        let done = Mutex(0)
        let file = try TestFile(size: 1)
        let path = file.path + ".sock"
        func route(_ method: HTTPRequest.Method, _ path: String, changes: (@Sendable (ControlRequest) -> Bool)? = nil) -> ControlRoute {
            ControlRoute(method, path, changes: changes) { _ in
                done.withLock { $0 += 1 }
                return ControlResponse(json: ByteBuffer(string: "{}"))
            }
        }
        let routes = [
            route(.post, "/change"), route(.post, "/order") { $0.query("change") == "yes" }, route(.post, "/look") { _ in false }, route(.get, "/status"),
        ]
        let sink = KeptEvents(refusing: "the audit trail cannot be written")
        try await TestServer.run(TestHandler(), control: routes, audit: sink, { $0.controlSocket = path }) { server in
            let response = try await server.pool.run {
                let client = try RawClient(path: path)
                client.send("\(command) HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                return try client.response()
            }
            #expect(response.status == (isRefused ? 503 : 200) && response.text == (isRefused ? "the audit trail cannot be written" : "{}"))
        }
        #expect(done.withLock { $0 } == (isRefused ? 0 : 1))
    }
}

private struct Answerer: ArtifactHandler {
    let it: AuditTests.Case

    func respond(to request: IncomingRequest) async -> RequestOutcome {
        guard request.target.path == ["x"] else { return RequestOutcome(ArtifactResponse(.noContent)) }
        var outcome = RequestOutcome(ArtifactResponse(self.it.status), operation: "test")
        outcome.audit = self.it.note
        return outcome
    }

    func refusal(_ error: FormatError, of path: String) -> ArtifactResponse? { nil }
}

/// Keeps what it is told.
final class KeptEvents: AuditSink {
    private let kept = Mutex<[AuditEvent]>([])
    private let reason: String?
    init(refusing reason: String? = nil) { self.reason = reason }
    var events: [AuditEvent] { self.kept.withLock { $0 } }
    func record(_ event: AuditEvent) { self.kept.withLock { $0.append(event) } }
    var refusal: String? { self.reason }
}
