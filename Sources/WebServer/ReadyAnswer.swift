import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import NIOHTTP1
import RepositoryEngine

/// All of an answer that does not change from one time to the next.
final class ReadyAnswer: Sendable {
    let method: HTTPRequest.Method
    /// From the status line to the last of the fields that stay, without the empty line.
    let head: ByteBuffer
    let body: ReadyBody
    /// What `Age` counts from; nil: no such field.
    let confirmed: Timestamp?
    /// Without its response: what the audit trail says.
    let outcome: RequestOutcome
    let standing: Standing
    /// Whether the audit trail has a line of it each time.
    let isAudited: Bool
    /// What the log says of one that is sent to its end; without what is its own: name, client and time.
    let record: AccessRecord
    let line: ReadyLine
    let measure: RequestMeasure

    var cost: Int { self.head.readableBytes + self.body.memory + self.line.cost + self.standing.cost + 768 }

    /// - Parameter record: of the one that is sent now.
    init(
        _ plan: ResponsePlan, _ body: ReadyBody, _ headers: HTTPFields, _ outcome: RequestOutcome, _ standing: Standing, _ method: HTTPRequest.Method,
        _ record: AccessRecord, isAudited: Bool, at now: Timestamp
    ) {
        self.method = method
        self.isAudited = isAudited
        var headers = headers
        self.confirmed = headers[.age].flatMap { Int64($0) }.map { now - .seconds($0) }
        for name in [HTTPField.Name.age, .date, .xRequestID] { headers[name] = nil }
        var head = ResponseHead.bytes(plan.status, headers)
        head.moveWriterIndex(to: head.writerIndex - 2)
        self.head = head
        self.body = body
        self.outcome = outcome.withoutResponse
        self.standing = standing
        var record = record
        (record.id, record.client, record.status, record.sent) = ("", "", plan.status.code, body.size)
        self.record = record
        self.line = ReadyLine(record)
        self.measure = RequestMeasure(record)
    }

    /// The head as it goes out now.
    func head(id: String, date: String, now: Timestamp) -> ByteBuffer {
        var head = ByteBufferAllocator().buffer(capacity: self.head.readableBytes + 128)
        head.writeImmutableBuffer(self.head)
        head.writeStaticString("Date: ")
        head.writeString(date)
        head.writeStaticString("\r\nX-Request-ID: ")
        head.writeString(id)
        if let confirmed {
            head.writeStaticString("\r\nAge: ")
            head.writeString(String(max(0, (now - confirmed).components.seconds)))
        }
        head.writeStaticString("\r\n\r\n")
        return head
    }
}

/// A body that is sent again and again.
enum ReadyBody: Sendable {
    case none
    case bytes(ByteBuffer)
    /// All of a file that does not change.
    case file(OpenFile, Range<Int64>)

    /// In memory, in bytes.
    static let largest: Int64 = 2 << 20
    /// In bytes: with larger ones it is the sending that costs.
    static let largestFile = BodySender.region

    /// - Parameter secure: the bytes of a file would have to be read to be encrypted, which may wait for the disk.
    /// - Returns: nil: it is not at hand, or too large.
    static func of(_ body: ResponsePlan.Body, _ cache: PageCache, secure: Bool) -> ReadyBody? {
        switch body {
        case .none: return ReadyBody.none
        case .bytes(let bytes): return Int64(bytes.readableBytes) <= Self.largest ? .bytes(bytes) : nil
        case .content(let source, let segments):
            guard segments.count == 1, case .range(let range) = segments[0], range.lowerBound == 0 else { return nil }
            switch source.whole {
            case .bytes(let bytes)? where bytes.readableBytes == range.count && range.upperBound <= Self.largest: return .bytes(bytes)
            case .file(let file, let all)? where all == range && !all.isEmpty && range.upperBound <= Self.largestFile && !secure:
                // Where nothing is known of what is in memory, it would never be given.
                return cache.holds(file.descriptor, 0..<1) == nil ? nil : .file(file, all)
            case .bytes?, .file?, nil: return nil
            }
        }
    }

    /// In bytes.
    var size: Int64 {
        switch self {
        case .none: 0
        case .bytes(let bytes): Int64(bytes.readableBytes)
        case .file(_, let range): Int64(range.count)
        }
    }

    var memory: Int {
        if case .bytes(let bytes) = self { bytes.readableBytes } else { 0 }
    }

    var isFile: Bool {
        if case .file = self { true } else { false }
    }
}

extension RequestOutcome {
    fileprivate var withoutResponse: RequestOutcome {
        var outcome = self
        outcome.response = .init(self.response.status)
        (outcome.refuse, outcome.standing) = (nil, nil)
        return outcome
    }
}
