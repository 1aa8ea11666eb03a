import AccessControl
import ArtifactModel
import BlockingWork
import FormatAPI
import Glibc
import HTTPTypes
import Logging
import NIOCore
import RepositoryEngine
import Testing

@testable import WebServer

@Suite("probes, metrics, logs and control", .timeLimit(.minutes(2)))
struct ObservationTests {
    @Test("requests are counted by what came of them")
    func metrics() async throws {
        let probes = ServerProbes(samples: { [MetricSample("entrepot_blob_bytes", help: "Bytes.", labels: [("store", "a\"b")], value: 12)] })
        try await TestServer.run(TestHandler(), probes: probes) { server in
            _ = try await server.ask("GET /letters")
            _ = await server.log.line("/letters")
            _ = try await server.ask("GET /letters", headers: ["Range: bytes=99-"])
            _ = await server.log.line("/letters")
            let text = try await server.ask("GET /metrics").text
            for line in [
                "# TYPE entrepot_http_requests_total counter",
                "entrepot_http_requests_total{repository=\"files\",operation=\"test\",class=\"2xx\",code=\"200\"} 1",
                "entrepot_http_requests_total{repository=\"files\",operation=\"test\",class=\"4xx\",code=\"416\"} 1",
                "entrepot_http_request_duration_seconds_count{operation=\"test\"} 2", "entrepot_http_time_to_first_byte_seconds_count{operation=\"test\"} 2",
                "entrepot_blob_bytes{store=\"a\\\"b\"} 12", "entrepot_event_loop_lag_seconds{loop=\"1\"}", "process_resident_memory_bytes",
            ] { #expect(text.contains(line), "\(line)") }
        }
    }

    @Test("readiness says what is wrong, and metrics are for who may read them")
    func probes() async throws {
        struct Pages: PageHandler {
            func answer(_ request: IncomingRequest) async -> RequestOutcome? { nil }
            func refusalOfMetrics(_ request: IncomingRequest) async -> RequestOutcome? {
                request.credentials == .bearer("yes") ? nil : RequestOutcome(ArtifactResponse(.unauthorized), operation: "page")
            }
        }
        try await TestServer.run(TestHandler(), probes: ServerProbes(problems: { ["the database is gone"] }), pages: Pages()) { server in
            let ready = try await server.ask("GET /health/ready")
            let refused = try await server.ask("GET /metrics")
            let allowed = try await server.ask("GET /metrics", headers: ["Authorization: Bearer yes"])
            let page = try await server.ask("GET /")
            #expect(ready.status == 503 && ready.text == "the database is gone\n")
            #expect(refused.status == 401 && allowed.status == 200 && page.text.contains("Entrepot"))
        }
    }

    @Test("the access log has a line for each request, without its query")
    func accessLog() async throws {
        try await TestServer.run(TestHandler()) { server in
            _ = try await server.ask("GET /letters?token=secret", headers: ["Range: bytes=0-4", "X-Request-ID: r1"])
            let line = await server.log.line("/letters")
            let expected = [
                "id": "r1", "client": "127.0.0.1", "method": "GET", "path": "/letters", "repository": "files", "operation": "test", "status": "206",
                "sent": "5", "received": "0", "principal": "tester",
            ]
            for (name, value) in expected { #expect(line[name] == value, "\(name)") }
        }
    }

    @Test("an access log's line has its members by their names, numbers as numbers, and what went wrong only where something did")
    func accessLine() async throws {
        let lines = LogLines()
        var record = AccessRecord()
        (record.id, record.client, record.method, record.path, record.status) = ("r1", "::1", "GET", "/a\"b", 200)
        lines.accessLog.write(record)
        #expect(
            await lines.text("/a\"b")
                == #"{"time":"1994-11-06T08:49:37.042Z","level":"info","logger":"access","message":"request","client":"::1","id":"r1","method":"GET","#
                + #""ms":0.0,"operation":"none","path":"/a\"b","received":0,"repository":"","sent":0,"status":200}"# + "\n")
        (record.principal, record.repository, record.operation, record.status) = ("ann", "files", "read", 503)
        (record.sent, record.received, record.seconds, record.cut) = (9_007_199_254_740_993, 12, 61.23456, true)
        record.cause = FormatError(.upstreamFailed, "no", cause: FormatError(.unavailable, "down"))
        lines.accessLog.write(record)
        #expect(
            await lines.text("/a\"b")
                == #"{"time":"1994-11-06T08:49:37.042Z","level":"error","logger":"access","message":"request","cause":"upstreamFailed: no ← unavailable: down","#
                + #""client":"::1","cut":"true","id":"r1","method":"GET","ms":61234.56,"operation":"read","path":"/a\"b","principal":"ann","received":12,"#
                + #""repository":"files","sent":9007199254740993,"status":503}"# + "\n")
    }

    @Test("a token that a client names in an address is not written")
    func maskedPath() async throws {
        let lines = LogLines()
        var record = AccessRecord()
        record.path = "/r/-/user/token/entrepot_0123456789abcdefABCDEF/x"
        lines.accessLog.write(record)
        #expect(!(await lines.text("/r/-/user/token/entrepot_***/x").isEmpty))
    }

    @Test(
        "milliseconds are written as Swift writes such numbers", arguments: [0, 0.0000001, 0.00001, 0.00012, 0.0001, 0.001, 0.0105, 1.5, 59.99999, 12345.678])
    func milliseconds(seconds: Double) async throws {
        let lines = LogLines()
        var record = AccessRecord()
        (record.path, record.seconds) = ("/", seconds)
        lines.accessLog.write(record)
        #expect(await lines.text("/").contains("\"ms\":\((seconds * 100_000).rounded() / 100),"))
    }

    @Test("a log line is one JSON object, whatever is in it")
    func json() {
        var ends: [CInt] = [-1, -1]
        pipe(&ends)
        let lines = LineWriter(descriptor: ends[1])
        var handler = JSONLineLogHandler(label: "x", lines: lines) { Timestamp(milliseconds: 784_111_777_042) }
        handler.logLevel = .trace
        let logger = Logger(label: "x") { _ in handler }
        logger.info("a \"quoted\"\nline", metadata: ["n": .stringConvertible(5), "d": ["k": "\u{1}"], "l": .array(["é"])])
        lines.close()
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(ends[0], &bytes, bytes.count)
        close(ends[0])
        close(ends[1])
        #expect(
            String(decoding: bytes[..<max(0, count)], as: UTF8.self)
                == "{\"time\":\"1994-11-06T08:49:37.042Z\",\"level\":\"info\",\"logger\":\"x\",\"message\":\"a \\\"quoted\\\"\\nline\","
                + "\"d\":{\"k\":\"\\u0001\"},\"l\":[\"é\"],\"n\":5}\n")
    }

    @Test("the control socket is for its owner alone, replaces a stale one, and goes with the server")
    func control() async throws {
        let file = try TestFile(size: 1)
        let path = file.path + ".sock"
        close(open(path, O_CREAT | O_WRONLY, 0o644))
        let route = ControlRoute(.post, "/echo") { request in
            ControlResponse(json: ByteBuffer(string: "{\"q\":\"\(request.query("q") ?? "")\",\"body\":\(request.body.readableBytes)}"))
        }
        try await TestServer.run(TestHandler(), control: [route], { $0.controlSocket = path }) { server in
            let (mode, answer, missing) = try await server.pool.run {
                var status = stat()
                stat(path, &status)
                let client = try RawClient(path: path)
                client.send("POST /echo?q=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /letters HTTP/1.1\r\nHost: x\r\n\r\n")
                return (status.st_mode & 0o777, try client.response().text, try client.response().status)
            }
            #expect(mode == 0o600 && answer == "{\"q\":\"1\",\"body\":3}" && missing == 404)
        }
        #expect(access(path, F_OK) != 0)
    }

    @Test("with as many connections as are allowed, the next waits for one to end")
    func connectionLimit() async throws {
        try await TestServer.run(TestHandler(), { $0.limits.connections = 1 }) { server in
            let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<6 { group.addTask { try await server.ask("GET /letters", headers: ["Connection: close"]).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers == Array(repeating: 200, count: 6))
        }
    }
}
