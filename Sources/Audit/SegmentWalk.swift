import ArtifactModel
import Foundation
import Synchronization

/// Reads all segments, oldest first. Blocks.
struct SegmentWalk {
    enum Step {
        case segment(String)
        case line(SegmentLines.Line)
        case end(isLast: Bool)
    }

    private let files: any AuditFiles
    private let segments: [AuditSegment]
    /// When they were listed.
    let totalBytes: Int64

    init(_ files: any AuditFiles) throws(AuditError) {
        self.files = files
        self.segments = try files.segments()
        var total: Int64 = 0
        for segment in self.segments {
            guard let opened = try files.open(segment.name, for: .reading) else { continue }
            total += opened.length
            files.close(opened.file)
        }
        self.totalBytes = total
    }

    /// - Parameter progress: told after each read.
    /// - Throws: what `body` throws, `AuditError`, `CancellationError`.
    func forEach(isCancelled: () -> Bool, progress: (AuditProgress) -> Void, _ body: (Step) throws -> Void) throws {
        var done = AuditProgress()
        done.totalBytes = self.totalBytes
        for segment in self.segments {
            // Too old meanwhile, and removed.
            guard let opened = try self.files.open(segment.name, for: .reading) else { continue }
            defer { self.files.close(opened.file) }
            try body(.segment(segment.name))
            var lines: Int64 = 0
            try SegmentLines(self.files, opened.file).forEach {
                lines += 1
                try body(.line($0))
            } progress: { count in
                if isCancelled() { throw CancellationError() }
                done.lines += lines
                done.bytes += Int64(count)
                lines = 0
                progress(done)
            }
            try body(.end(isLast: segment == self.segments.last))
        }
    }
}

/// The first line of a segment.
enum SegmentHeader {
    private struct Members: Decodable { var after: String? }

    /// - Returns: the segment that it follows; empty: it is the first of all; nil: the line begins no segment.
    static func previous(of line: UnsafeRawBufferPointer) -> String? {
        guard ChainLine.has(kind: "\",\"kind\":\"segment\"", line) else { return nil }
        // What is no JSON says nothing; the chain tells that it was changed.
        return (try? JSONDecoder().decode(Members.self, from: Data(line))).map { $0.after ?? "" }
    }
}

extension BlockingPool {
    /// Runs on the pool what looks from time to time whether the caller was cancelled.
    func running<T: Sendable>(_ work: @escaping @Sendable (_ isCancelled: () -> Bool) throws -> T) async throws -> T {
        let flag = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await self.run { try work { flag.isSet } }
        } onCancel: {
            flag.set()
        }
    }
}

private final class CancellationFlag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { self.value.load(ordering: .relaxed) }
    func set() { self.value.store(true, ordering: .relaxed) }
}
