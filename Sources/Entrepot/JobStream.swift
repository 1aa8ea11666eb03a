import ArtifactModel
import Foundation
import NIOCore
import Synchronization

/// A job as lines of JSON, for the control socket. The job runs on its own, and does not wait for a slow reader: of its progress, the
/// newest lines are kept. A reader that goes cancels it, and waits until it has ended.
final class JobStream: ContentSource {
    /// More progress than a reader has taken is forgotten, oldest first; the last line never is.
    private static let kept = 16
    private let lines: AsyncStream<ByteBuffer>
    private let task: Task<Void, Never>
    private let rest = Mutex(ByteBuffer())

    init<Report: Codable & Sendable>(_ job: @escaping @Sendable (@escaping JobReporter) async throws -> Report) {
        let (lines, mouth) = AsyncStream.makeStream(of: ByteBuffer.self, bufferingPolicy: .bufferingNewest(Self.kept))
        self.lines = lines
        // Owned by this object: cancelled with it, and awaited by `next` where that is cancelled.
        self.task = Task {
            let pace = Pace()
            let last = await Self.outcome {
                try await job { progress in
                    guard pace.isDue() else { return }
                    mouth.yield(Self.line(JobEvent<Report>(progress: progress)))
                }
            }
            mouth.yield(Self.line(last))
            mouth.finish()
        }
    }

    deinit { self.task.cancel() }

    var length: Int64? { nil }

    func next(at offset: Int64, limit: Int64) async throws -> ContentPiece? {
        try await withTaskCancellationHandler {
            if self.rest.withLock({ $0.readableBytes == 0 }) {
                var lines = self.lines.makeAsyncIterator()
                guard let line = await lines.next() else {
                    // What it has begun and must finish, it finishes: the server does not close its database before.
                    await self.task.value
                    try Task.checkCancellation()
                    return nil
                }
                self.rest.withLock { $0 = line }
            }
            return self.rest.withLock { rest in rest.readSlice(length: Int(min(limit, Int64(rest.readableBytes)))).map { .bytes($0) } }
        } onCancel: {
            self.task.cancel()
        }
    }

    /// Who may open the socket may read the cause: it is the operator.
    private static func outcome<Report>(_ job: () async throws -> Report) async -> JobEvent<Report> {
        do { return JobEvent(report: try await job()) } catch { return JobEvent(error: "\(error)") }
    }

    private static func line<Report>(_ event: JobEvent<Report>) -> ByteBuffer {
        do {
            return ByteBuffer(bytes: try ReportText.json(event) + [UInt8(ascii: "\n")])
        } catch {
            return ByteBuffer(string: "{\"error\":\"the report could not be written\"}\n")
        }
    }
}

/// Says yes five times a second.
final class Pace: Sendable {
    private static let least = Duration.milliseconds(200)
    private let last = Mutex<ContinuousClock.Instant?>(nil)

    func isDue() -> Bool {
        self.last.withLock { last in
            let now = ContinuousClock.now
            if let before = last, before.duration(to: now) < Self.least { return false }
            last = now
            return true
        }
    }
}
