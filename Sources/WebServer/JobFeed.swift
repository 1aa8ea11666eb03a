import ArtifactModel
public import NIOCore
import Synchronization

/// How a job of the control socket tells how far it came.
public struct JobReporter: Sendable {
    private let report: @Sendable (ByteBuffer) -> Void

    /// - Parameter report: called for each line; must not block.
    public init(_ report: @escaping @Sendable (ByteBuffer) -> Void) { self.report = report }

    /// - Parameter line: one value of JSON, without a newline. Where the reader is slower than the job, it gets the newest one only.
    public func tell(_ line: ByteBuffer) { self.report(line) }
}

/// Between a job and the one who reads its lines: the newest line of progress, and the last line, which is never lost.
final class JobFeed: Sendable {
    private struct State: Sendable {
        var newest: ByteBuffer?
        var last: ByteBuffer?
        var ended = false
        /// What of a line was too long for the piece that was asked for.
        var rest = ByteBuffer()
        var released = false
        var waiter: CheckedContinuation<Void, Never>?

        /// The reader has something to do.
        var isReady: Bool { self.rest.readableBytes > 0 || self.newest != nil || self.ended || self.released }

        mutating func take(_ limit: Int) -> ByteBuffer? {
            if self.rest.readableBytes == 0, let line = self.newest ?? self.last {
                self.rest = line
                self.rest.writeStaticString("\n")
                if self.newest == nil { self.last = nil }
                self.newest = nil
            }
            return self.rest.readSlice(length: min(limit, self.rest.readableBytes)).flatMap { $0.readableBytes > 0 ? $0 : nil }
        }
    }
    private let state = Mutex(State())

    func tell(_ line: ByteBuffer) {
        self.change { state in if !state.ended { state.newest = line } }
    }

    func finish(_ line: ByteBuffer) {
        self.change { state in (state.last, state.ended) = (line, true) }
    }

    /// Nobody reads any more, or its task was cancelled.
    func release() { self.change { $0.released = true } }

    private func change(_ change: (inout State) -> Void) {
        let waiter = self.state.withLock { state in
            change(&state)
            guard state.isReady else { return nil as CheckedContinuation<Void, Never>? }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// The next lines or a part of one; waits; nil: that was the last. For one reader.
    func next(limit: Int) async -> ByteBuffer? {
        await withCheckedContinuation { continuation in
            let ready = self.state.withLock { state in
                if !state.isReady { state.waiter = continuation }
                return state.isReady
            }
            if ready { continuation.resume() }
        }
        return self.state.withLock { $0.released ? nil : $0.take(limit) }
    }
}

/// A running job as a response's bytes, lines of JSON. Owns the job: who stops reading cancels it.
final class JobContent: ContentSource {
    let length: Int64? = nil
    private let feed: JobFeed
    private let job: Task<Void, Never>

    init(_ work: @escaping @Sendable (JobReporter) async -> ByteBuffer) {
        let feed = JobFeed()
        self.feed = feed
        // Owned: `next` waits for it where the reader is cancelled, and the last release cancels it.
        self.job = Task { feed.finish(await work(JobReporter { feed.tell($0) })) }
    }

    deinit { self.job.cancel() }

    func next(at offset: Int64, limit: Int64) async throws -> ContentPiece? {
        let bytes = await withTaskCancellationHandler {
            await self.feed.next(limit: Int(min(limit, 1 << 20)))
        } onCancel: {
            self.job.cancel()
            self.feed.release()
        }
        guard Task.isCancelled else { return bytes.map { .bytes($0) } }
        // A job that is cancelled ends soon, and until then it uses what its server may close after this request.
        await self.job.value
        throw CancellationError()
    }
}
