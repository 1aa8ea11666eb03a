import ArtifactModel
import FormatAPI
import Foundation
import NIOCore
import Synchronization
import WebServer

/// How far a long command came, whichever it is.
struct JobProgress: Codable, Sendable {
    /// What was done with it so far: `verified`, `freed`.
    var verb: String
    var items: Int64
    /// In bytes.
    var bytes: Int64
    /// In bytes, where it is known from the start.
    var totalBytes: Int64?
    /// Where the work is cut into slices: those that are through.
    var slices: Int?
}

/// One line of a job's answer over the control socket. The last one has the result, or the error.
struct JobLine<Report: Codable & Sendable>: Codable, Sendable {
    var progress: JobProgress?
    var result: Report?
    var error: String?
}

extension ControlResponse {
    /// A job whose result is a report. Who may open the socket may read the cause of its failure: it is the operator.
    init<Report: Codable & Sendable>(running work: @escaping @Sendable (_ tell: @escaping @Sendable (JobProgress) -> Void) async throws -> Report) {
        self.init { reporter in
            let pace = Pace(.milliseconds(100))
            do {
                let report = try await work { progress in
                    if pace.allows() { reporter.tell(Self.line(JobLine<Report>(progress: progress))) }
                }
                return Self.line(JobLine(result: report))
            } catch {
                return Self.line(JobLine<Report>(error: (error as? FormatError)?.message ?? "\(error)"))
            }
        }
    }

    private static func line(_ line: some Encodable) -> ByteBuffer {
        do { return ByteBuffer(bytes: try ReportText.json(line)) } catch { return ByteBuffer(string: #"{"error":"the report cannot be written as JSON"}"#) }
    }
}

/// Lets something happen so often, and no oftener.
final class Pace: Sendable {
    private let interval: Duration
    private let last = Mutex<ContinuousClock.Instant?>(nil)
    init(_ interval: Duration) { self.interval = interval }

    /// Whether it may happen now, which then counts as happened.
    func allows() -> Bool {
        let now = ContinuousClock.now
        return self.last.withLock { last in
            if let last, now - last < self.interval { return false }
            last = now
            return true
        }
    }
}
