import FormatAPI
import Logging
import NIOCore

/// One request, as the access log tells it: what was really sent, and why it ended where it did.
struct AccessRecord: Sendable {
    var id = ""
    var client = ""
    var method = ""
    /// Without the query, which may hold secrets.
    var path = ""
    var repository = ""
    var operation = "none"
    var principal = ""
    var status = 0
    var sent: Int64 = 0
    var received: Int64 = 0
    var seconds = 0.0
    var firstByte: Double?
    var cause: (any Error)?
    /// The client went before the end.
    var cancelled = false
    /// The answer was cut because its bytes could not be had.
    var cut = false
}

/// Writes one line for each request.
struct AccessLog: Sendable {
    let logger: Logger

    func write(_ record: AccessRecord) {
        let level: Logger.Level = record.cut || record.status >= 500 && !record.cancelled ? .error : .info
        guard self.logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            "id": .string(record.id), "client": .string(record.client), "method": .string(record.method), "path": .string(Self.bounded(record.path)),
            "repository": .string(record.repository), "operation": .string(record.operation), "status": .stringConvertible(record.status),
            "sent": .stringConvertible(record.sent), "received": .stringConvertible(record.received),
            "ms": .stringConvertible((record.seconds * 100_000).rounded() / 100),
        ]
        if !record.principal.isEmpty { metadata["principal"] = "\(record.principal)" }
        if record.cancelled { metadata["cancelled"] = "true" }
        if record.cut { metadata["cut"] = "true" }
        if let cause = record.cause { metadata["cause"] = "\(Self.text(cause))" }
        self.logger.log(level: level, "request", metadata: metadata)
    }

    private static func bounded(_ path: String) -> String { path.utf8.count <= 1024 ? path : String(path.prefix(1024)) }

    /// An error with all that caused it.
    private static func text(_ error: any Error) -> String {
        guard let error = error as? FormatError else { return "\(error)" }
        return "\(error.code): \(error.message)" + (error.cause.map { " ← \(Self.text($0))" } ?? "")
    }
}
