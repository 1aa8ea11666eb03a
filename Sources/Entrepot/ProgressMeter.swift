import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One line on standard error that is written over and over while long work goes on; nothing where that is not a terminal.
final class ProgressMeter: Sendable {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let began = ContinuousClock.now
    private let pace = Pace()
    private let isShown = Mutex(false)

    @Sendable func show(_ progress: JobProgress) async {
        guard self.isTerminal, self.pace.isDue() else { return }
        self.isShown.withLock { $0 = true }
        Self.write("\r\u{1B}[K" + Self.text(progress, after: self.began.duration(to: .now)))
    }

    /// Before anything else is printed.
    func clear() {
        if self.isShown.withLock({ shown in
            defer { shown = false }
            return shown
        }) {
            Self.write("\r\u{1B}[K")
        }
    }

    /// `verified 120 blobs, 1.5 GiB of 6.0 GiB (25 %), 300.0 MiB/s, 15 s left`
    static func text(_ progress: JobProgress, after elapsed: Duration) -> String {
        var parts = ["\(progress.work) \(progress.items)\(progress.totalItems.map { " of \(max($0, progress.items))" } ?? "") blobs"]
        if let bytes = progress.bytes {
            let total = progress.totalBytes.map { max($0, bytes) }
            let share = total.map { " of \(ReportText.size($0)) (\($0 > 0 ? Int(Double(bytes) * 100 / Double($0)) : 100) %)" } ?? ""
            parts.append(ReportText.size(bytes) + share)
            let rate = Double(bytes) / max(elapsed / .seconds(1), 0.001)
            if rate >= 1 {
                parts.append("\(ReportText.size(Int64(rate)))/s")
                if let total { parts.append("\(Int((Double(total - bytes) / rate).rounded(.up))) s left") }
            }
        }
        return (parts + [progress.note].compactMap(\.self)).joined(separator: ", ")
    }

    private static func write(_ text: String) {
        let bytes = Array(text.utf8)
        // What a terminal does not take of a line that is soon written over is not missed.
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}
