public import ArtifactModel
import FormatAPI

/// Writes one line for each request: a JSON object as `JSONLineLogHandler` writes them, without a dictionary and a logger in between.
///
/// Every request passes here, so what it costs counts: one array for the line.
public struct AccessLog: Sendable {
    /// No longer ones are written of a path; who sends 8 KiB of it need not fill the log.
    private static let longestPath = 1024

    private let now: WallClock
    private let write: @Sendable ([UInt8]) -> Void

    /// - Parameter write: is given each line with its line feed, on an event loop: must not block.
    public init(now: @escaping WallClock, write: @escaping @Sendable ([UInt8]) -> Void) {
        self.now = now
        self.write = write
    }

    public init(_ lines: LineWriter, now: @escaping WallClock) { self.init(now: now) { lines.write($0) } }

    func write(_ record: AccessRecord) {
        var line = self.line(isFailure: record.isFailure)
        // By their names, as in every line.
        if record.cancelled { line.add("cancelled", "true") }
        if let cause = record.cause { line.add("cause", Self.text(cause)) }
        line.add("client", record.client)
        if record.cut { line.add("cut", "true") }
        line.add("id", record.id)
        line.add("method", record.method)
        line.add("ms", hundredths: Self.hundredths(record.seconds))
        Self.add(rest: record, to: &line)
        self.write(line.finished())
    }

    /// Of an answer that was ready, sent to its end.
    func write(_ ready: ReadyLine, id: String, client: String, seconds: Double) {
        var line = self.line(isFailure: false)
        line.add("client", client)
        line.add("id", id)
        line.add(members: ready.method)
        line.add("ms", hundredths: Self.hundredths(seconds))
        line.add(members: ready.rest)
        self.write(line.written)
    }

    private func line(isFailure: Bool) -> JSONLine {
        var line = JSONLine()
        line.add("time", self.now())
        line.add("level", isFailure ? "error" : "info")
        line.add("logger", "access")
        line.add("message", "request")
        return line
    }

    private static func hundredths(_ seconds: Double) -> Int64 { Int64((seconds * 100_000).rounded()) }

    /// What a line ends with.
    static func add(rest record: AccessRecord, to line: inout JSONLine) {
        line.add("operation", record.operation)
        let path = Self.masked(record.path)
        line.add("path", path.utf8.count <= Self.longestPath ? path : String(path.prefix(Self.longestPath)))
        if !record.principal.isEmpty { line.add("principal", record.principal) }
        line.add("received", record.received)
        line.add("repository", record.repository)
        line.add("sent", record.sent)
        line.add("status", Int64(record.status))
    }

    /// Clients that sign out name their token in the address.
    private static func masked(_ path: String) -> String {
        ByteText.contains(path, "entrepot_") ? path.replacing(#/entrepot_[A-Za-z0-9]{8,}/#, with: "entrepot_***") : path
    }

    /// An error with all that caused it.
    private static func text(_ error: any Error) -> String {
        guard let error = error as? FormatError else { return "\(error)" }
        return "\(error.code): \(error.message)" + (error.cause.map { " ← \(Self.text($0))" } ?? "")
    }
}
