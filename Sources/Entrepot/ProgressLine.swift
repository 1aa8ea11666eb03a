import Foundation
import Synchronization

/// One line on a terminal that is drawn again and again, five times a second at most.
final class ProgressLine: Sendable {
    private let began = ContinuousClock.now
    private let pace = Pace(.milliseconds(200))
    private let isDrawn = Mutex(false)

    /// nil where standard error is not a terminal: in a pipe, nothing is drawn.
    init?() { if isatty(2) == 0 || ProcessInfo.processInfo.environment["TERM"] == "dumb" { return nil } }

    func draw(_ progress: JobProgress) {
        guard self.pace.allows() else { return }
        self.write("\r" + Self.text(progress, after: ContinuousClock.now - self.began) + "\u{1B}[K")
        self.isDrawn.withLock { $0 = true }
    }

    func clear() {
        let drawn = self.isDrawn.withLock { drawn in
            defer { drawn = false }
            return drawn
        }
        if drawn { self.write("\r\u{1B}[K") }
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    /// `verified 1.2 GiB of 4.0 GiB, 30%, 250.0 MiB/s, 0:12 left`
    static func text(_ progress: JobProgress, after elapsed: Duration) -> String {
        let size = ReportText.size(progress.bytes)
        guard let total = progress.totalBytes, total > 0 else { return "\(progress.verb) \(progress.items) blobs, \(size)" }
        // What came since the start may be more than was counted then.
        let share = min(1, Double(progress.bytes) / Double(total))
        var text = "\(progress.verb) \(size) of \(ReportText.size(total)), \(Int(share * 100))%"
        let seconds = elapsed / .seconds(1)
        guard seconds > 0.5, progress.bytes > 0 else { return text }
        let rate = Double(progress.bytes) / seconds
        let left = Int(Double(max(0, total - progress.bytes)) / rate)
        text +=
            ", \(ReportText.size(Int64(rate)))/s, "
            + (left >= 3600 ? "\(left / 3600) h \(left / 60 % 60) min left" : String(format: "%d:%02d left", left / 60, left % 60))
        return text
    }
}
