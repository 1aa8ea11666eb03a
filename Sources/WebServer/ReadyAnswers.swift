import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import NIOHTTP1
import RepositoryEngine
import Synchronization

/// Answers that may be given again as they are: what clients ask for over and over (packuments, manifests, indexes, POMs, and whether they have changed) is
/// sent from here by the connection's handler itself, without a task, the engine and the database. Every one says how long it stands, and is looked at for
/// that each time; only what nobody had to sign in for is here.
///
/// Two halves, an older and a newer: what is asked for moves to the newer, and when that is full the older is let go.
final class ReadyAnswers: Sendable {
    /// Of a body, in bytes: with larger ones it is the sending that costs.
    static let largest: Int64 = 512 << 10

    private struct Halves: Sendable {
        var newer: [ReadyKey: ReadyAnswer] = [:]
        var older: [ReadyKey: ReadyAnswer] = [:]
        /// Of the newer, in bytes.
        var cost = 0

        mutating func insert(_ answer: ReadyAnswer, for key: ReadyKey, room: Int) {
            self.older[key] = nil
            self.cost += key.cost + answer.cost - (self.newer.updateValue(answer, forKey: key).map { key.cost + $0.cost } ?? 0)
            guard self.cost > room else { return }
            (self.older, self.newer, self.cost) = (self.newer, [:], 0)
        }

        mutating func remove(_ key: ReadyKey) {
            self.older[key] = nil
            if let answer = self.newer.removeValue(forKey: key) { self.cost -= key.cost + answer.cost }
        }
    }

    private let halves = Mutex(Halves())
    /// Of each half, in bytes.
    private let room: Int

    /// - Parameter capacity: in bytes; the bodies are mostly in memory already, for those who ask otherwise.
    init(capacity: Int = 32 << 20) { self.room = capacity / 2 }

    func answer(to key: ReadyKey, at now: Timestamp) -> ReadyAnswer? {
        self.halves.withLock { halves in
            let isNew = halves.newer[key]
            guard let answer = isNew ?? halves.older[key] else { return nil }
            guard answer.standing.holds(at: now) else {
                halves.remove(key)
                return nil
            }
            if isNew == nil { halves.insert(answer, for: key, room: self.room) }
            return answer
        }
    }

    func keep(_ answer: ReadyAnswer, for key: ReadyKey) { self.halves.withLock { $0.insert(answer, for: key, room: self.room) } }

    var count: Int { self.halves.withLock { $0.newer.count + $0.older.count } }
}

/// All of an answer that does not change from one time to the next.
final class ReadyAnswer: Sendable {
    let status: Int
    /// From the status line to the last of the fields that stay, without the empty line.
    let head: ByteBuffer
    let body: ByteBuffer?
    /// What `Age` counts from; nil: no such field.
    let confirmed: Timestamp?
    /// Without its response: what log and audit say.
    let outcome: RequestOutcome
    let standing: Standing
    /// Whether the audit trail has a line of it each time.
    let isAudited: Bool

    var cost: Int { self.head.readableBytes + (self.body?.readableBytes ?? 0) + self.standing.cost + 512 }

    /// - Parameter body: as `bytes` gives it.
    init(
        _ plan: ResponsePlan, _ body: ByteBuffer, _ headers: HTTPFields, _ outcome: RequestOutcome, _ standing: Standing, isAudited: Bool,
        at now: Timestamp
    ) {
        self.isAudited = isAudited
        var headers = headers
        self.confirmed = headers[.age].flatMap { Int64($0) }.map { now - .seconds($0) }
        for name in [HTTPField.Name.age, .date, .xRequestID] { headers[name] = nil }
        var head = ResponseHead.bytes(plan.status, headers)
        head.moveWriterIndex(to: head.writerIndex - 2)
        self.status = plan.status.code
        self.head = head
        self.body = body.readableBytes == 0 ? nil : body
        self.outcome = outcome.withoutResponse
        self.standing = standing
    }

    /// nil: they are not in memory, or too many.
    static func bytes(_ body: ResponsePlan.Body) async -> ByteBuffer? {
        switch body {
        case .none: return ByteBuffer()
        case .bytes(let bytes): return bytes.readableBytes <= ReadyAnswers.largest ? bytes : nil
        case .content(let source, let segments):
            guard segments.count == 1, case .range(let range) = segments[0], range.lowerBound == 0, range.upperBound <= ReadyAnswers.largest else { return nil }
            // What is in memory is given whole and at once; what fails here fails again where it is sent, and is told there.
            guard let memory = source as? MemoryContent, case .bytes(let bytes)? = try? await memory.next(at: 0, limit: range.upperBound),
                bytes.readableBytes == range.count
            else { return nil }
            return bytes
        }
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

extension RequestOutcome {
    fileprivate var withoutResponse: RequestOutcome {
        var outcome = self
        outcome.response = .init(self.response.status)
        (outcome.refuse, outcome.standing) = (nil, nil)
        return outcome
    }
}
