import AccessControl
import ArtifactModel
import FormatAPI
import NIOHTTP1
import RepositoryEngine

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

    /// What an operator should look at.
    var isFailure: Bool { self.cut || self.status >= 500 && !self.cancelled }
}

extension AccessRecord {
    init(_ head: HTTPRequestHead, id: String, client: String) {
        self.id = id
        self.client = client
        self.method = head.method.rawValue
        self.path = String(head.uri.utf8.firstIndex(of: UInt8(ascii: "?")).map { head.uri[..<$0] } ?? head.uri[...])
    }

    mutating func note(_ outcome: RequestOutcome) {
        self.repository = outcome.repository?.text ?? ""
        self.operation = outcome.operation
        self.principal = outcome.principal.name
        self.cause = outcome.cause
    }
}

extension RequestMeasure {
    init(_ record: AccessRecord) {
        self.init(
            repository: record.repository, operation: record.operation, code: record.status, seconds: record.seconds, firstByte: record.firstByte,
            sent: record.sent, received: record.received)
    }
}
