import ArtifactModel
import NIOCore
import Synchronization

/// One finished request, as metrics see it.
struct RequestMeasure: Sendable {
    var repository: String
    var operation: String
    var code: Int
    var seconds: Double
    /// nil: nothing was sent.
    var firstByte: Double?
    var sent: Int64
    var received: Int64
}

/// Counts of one event loop. Its lock is contended only while `/metrics` is read.
final class MetricsShard: Sendable {
    /// Series beyond this many are counted together: labels come from configuration, so that only a slip could make more.
    static let mostSeries = 10_000

    struct Key: Hashable {
        var repository: String
        var operation: String
        var code: Int
    }

    struct Table {
        var requests: [Key: Int64] = [:]
        var durations: [String: Histogram] = [:]
        var firstBytes: [String: Histogram] = [:]
        var sent: [String: Int64] = [:]
        var received: [String: Int64] = [:]
        var lag = 0.0
        var greatestLag = 0.0
    }

    private let table = Mutex(Table())

    func add(_ measure: RequestMeasure) {
        self.table.withLock { table in
            var key = Key(repository: measure.repository, operation: measure.operation, code: measure.code)
            if table.requests.count >= Self.mostSeries, table.requests[key] == nil { key = Key(repository: "other", operation: "other", code: measure.code) }
            table.requests[key, default: 0] += 1
            table.durations[key.operation, default: Histogram()].add(measure.seconds)
            if let first = measure.firstByte { table.firstBytes[key.operation, default: Histogram()].add(first) }
            table.sent[key.repository, default: 0] += measure.sent
            table.received[key.repository, default: 0] += measure.received
        }
    }

    /// Of an answer that was ready.
    /// - Parameter measure: without its times.
    func add(_ measure: RequestMeasure, _ seconds: Double) {
        var measure = measure
        (measure.seconds, measure.firstByte) = (seconds, seconds)
        self.add(measure)
    }

    func note(lag seconds: Double) {
        self.table.withLock { table in
            table.lag = seconds
            table.greatestLag = max(table.greatestLag, seconds)
        }
    }

    var current: Table { self.table.withLock { $0 } }
}

/// The server's own figures, a shard for each event loop.
final class ServerMetrics: Sendable {
    /// How often a loop's punctuality is measured.
    static let lagInterval = TimeAmount.milliseconds(500)

    private let loops: [any EventLoop]
    private let shards: [MetricsShard]
    private let started: Timestamp

    init(_ group: any EventLoopGroup, started: Timestamp) {
        self.loops = Array(group.makeIterator())
        self.shards = self.loops.map { _ in MetricsShard() }
        self.started = started
    }

    func shard(_ loop: any EventLoop) -> MetricsShard {
        self.shards[self.loops.firstIndex { $0 === loop } ?? 0]
    }

    /// Measures how late each loop runs what is due, until the tasks that are returned are cancelled.
    func watchLoops() -> [RepeatedTask] {
        zip(self.loops, self.shards).map { loop, shard in
            let due = Mutex(NIODeadline.now() + Self.lagInterval)
            return loop.scheduleRepeatedTask(initialDelay: Self.lagInterval, delay: Self.lagInterval) { _ in
                let now = NIODeadline.now()
                let late = due.withLock { due in
                    defer { due = now + Self.lagInterval }
                    return now - due
                }
                shard.note(lag: max(0, Double(late.nanoseconds) / 1e9))
            }
        }
    }

    func text(openConnections: Int, others: [MetricSample]) -> String {
        var out = MetricsText()
        let tables = self.shards.map(\.current)
        self.addRequests(tables, to: &out)
        out.add(MetricSample("entrepot_http_open_connections", help: "Connections that are open.", value: Double(openConnections)))
        for (index, table) in tables.enumerated() {
            let labels = [(name: "loop", value: String(index))]
            out.add(MetricSample("entrepot_event_loop_lag_seconds", help: "How late the loop last was.", labels: labels, value: table.lag))
            out.add(
                MetricSample(
                    "entrepot_event_loop_lag_max_seconds", help: "How late the loop has been at most.", labels: labels, value: table.greatestLag))
        }
        let started = Double(self.started.milliseconds) / 1000
        out.add(MetricSample("process_start_time_seconds", help: "When the process started, since 1970.", value: started))
        if let bytes = ProcessMemory.resident() {
            out.add(MetricSample("process_resident_memory_bytes", help: "Memory in RAM.", value: Double(bytes)))
        }
        for sample in others { out.add(sample) }
        return out.text
    }

    private func addRequests(_ tables: [MetricsShard.Table], to out: inout MetricsText) {
        for (key, count) in Self.sum(tables.map(\.requests), +).sorted(by: { "\($0.key)" < "\($1.key)" }) {
            let labels = [
                (name: "repository", value: key.repository), (name: "operation", value: key.operation), (name: "class", value: "\(key.code / 100)xx"),
                (name: "code", value: String(key.code)),
            ]
            out.add(MetricSample("entrepot_http_requests_total", help: "Requests that were answered.", kind: .counter, labels: labels, value: Double(count)))
        }
        let join = { (a: Histogram, b: Histogram) in
            var sum = a
            sum.add(b)
            return sum
        }
        for (operation, histogram) in Self.sum(tables.map(\.durations), join).sorted(by: { $0.key < $1.key }) {
            let labels = [(name: "operation", value: operation)]
            out.add("entrepot_http_request_duration_seconds", help: "From head to last byte.", labels: labels, histogram)
        }
        for (operation, histogram) in Self.sum(tables.map(\.firstBytes), join).sorted(by: { $0.key < $1.key }) {
            out.add("entrepot_http_time_to_first_byte_seconds", help: "From head to first byte.", labels: [(name: "operation", value: operation)], histogram)
        }
        for (name, help, counts) in [
            ("entrepot_http_sent_bytes_total", "Bytes of bodies that were sent.", tables.map(\.sent)),
            ("entrepot_http_received_bytes_total", "Bytes of bodies that were received.", tables.map(\.received)),
        ] {
            for (repository, bytes) in Self.sum(counts, +).sorted(by: { $0.key < $1.key }) {
                out.add(MetricSample(name, help: help, kind: .counter, labels: [("repository", repository)], value: Double(bytes)))
            }
        }
    }

    private static func sum<Key: Hashable, Value>(_ tables: [[Key: Value]], _ join: (Value, Value) -> Value) -> [Key: Value] {
        tables.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: join) }
    }
}
