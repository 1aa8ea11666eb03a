import Synchronization
import HTTPTypes
import ArtifactModel
import FormatAPI
import NIOCore
import StorageAPI

/// One request of a fill, and the way of its bytes into the file.
struct FillTransfer: Sendable {
    let fill: Fill
    let id: Int
    let from: Int64
    /// Exclusive; nil: the end.
    let end: Int64?
    let validator: String?

    func run() async {
        do {
            try await self.pause()
            let request = self.request
            let answer = try await self.fill.origin.upstream.send(request)
            if answer.status.code == 416, request.part != .whole, let end = AnswerHead.end(answer.headers), self.isBesideOthers {
                self.fill.decide { $0.unsatisfied(self.id, length: end) }
                return
            }
            if let failure = self.refusal(answer.status, of: request) { return self.fail(failure) }
            let head = try AnswerHead(answer, for: self.fill.resource)
            self.fill.state.withLock { $0.reproaches.append(answer.reproach) }
            try await self.fill.prepare(head)
            self.fill.decide { $0.answered(self.id, from: head.from, length: head.length, validator: head.validator) }
            guard self.place != nil else { return }
            await self.receive(answer.body)
        } catch let error as UpstreamError {
            self.broke(error)
        } catch {
            self.fail(Self.failure(error))
        }
    }

    private var isBesideOthers: Bool { self.fill.state.withLock { $0.machine.phase != .asking } }

    /// What the statuses without content mean; nil: there is content. Each answers a question that must have been asked.
    private func refusal(_ status: HTTPResponse.Status, of request: UpstreamRequest) -> FillFailure? {
        switch status.code {
        case 304 where request.part == .whole && self.fill.known != nil: .notModified
        case 416 where request.part != .whole: self.fill.state.withLock { $0.machine.phase == .asking } ? .beyond(self.from) : .changed
        case 206 where request.part == .whole, 304, 416:
            .upstream(.badAnswer, "the upstream answered \(status.code), which is no answer to what it was asked")
        default: nil
        }
    }

    /// Where the transfer is and where it ends; nil: it has been stopped.
    private var place: FillMachine.Transfer? { self.fill.state.withLock { $0.machine.transfers[self.id] } }

    /// A second try waits a little, and longer each time.
    private func pause() async throws {
        guard let attempts = self.place?.attempts, attempts > 1 else { return }
        try await Task.sleep(for: .milliseconds(100 << min(attempts, 6)))
    }

    private var request: UpstreamRequest {
        let isFirst = self.fill.state.withLock { $0.machine.phase == .asking }
        if self.from == 0, self.end == nil {
            return UpstreamRequest(.get, self.fill.resource, validators: isFirst ? self.fill.known : nil, kind: self.fill.want.kind)
        }
        let tag = self.validator.map { $0.hasPrefix("\"") ? Validators(entityTag: $0, lastModified: "") : Validators(entityTag: "", lastModified: $0) }
        let part = UpstreamRequest.Part.from(self.from, to: self.end.flatMap { $0 < FillMachine.farthest ? $0 : nil })
        return UpstreamRequest(.get, self.fill.resource, part: part, validators: tag, kind: self.fill.want.kind)
    }

    /// Receives and writes side by side.
    private func receive(_ body: ByteStream) async {
        // Many ranges of one file come at once, each of them short.
        let pipe = BatchPipe(limit: self.end == nil ? Sink.batchSize : Sink.batchSize / 4)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.write(from: pipe) }
            let outcome = await self.read(body, into: pipe)
            pipe.finish()
            await group.waitForAll()
            switch outcome {
            case nil: self.fill.decide { $0.ended(self.id) }
            case .some(let error): self.broke(error)
            }
        }
    }

    /// - Returns: what broke it off; nil: it came to its end.
    private func read(_ body: ByteStream, into pipe: BatchPipe) async -> UpstreamError? {
        guard let place = self.place else { return nil }
        // An upstream that ignores where a range ends sends more than was asked for.
        var left = place.end.map { $0 - place.next } ?? .max
        do {
            while left > 0, var chunk = try await body.next() {
                if Int64(chunk.readableBytes) > left, let part = chunk.readSlice(length: Int(left)) { chunk = part }
                left -= Int64(chunk.readableBytes)
                if chunk.readableBytes > 0 { await pipe.put(chunk) }
                if Task.isCancelled { return UpstreamError(.cancelled, "the transfer was stopped") }
            }
            return nil
        } catch let error as UpstreamError {
            return error
        } catch {
            return UpstreamError(error is CancellationError ? .cancelled : .trouble(.cut), "the upstream's answer broke off", cause: error)
        }
    }

    private func write(from pipe: BatchPipe) async {
        var broken = false
        while let batch = await pipe.take() {
            // What is left of a transfer that is over is thrown away, so that the receiver is not kept waiting.
            guard !broken, let place = self.place else { continue }
            do {
                try await self.fill.write(batch, at: place.next, of: self.id)
            } catch {
                broken = true
                self.fail(Self.failure(error))
            }
        }
    }

    private func fail(_ failure: FillFailure) { self.fill.decide { $0.failed(self.id, failure) } }

    private func broke(_ error: UpstreamError) {
        switch error.code {
        case .absent: self.fail(.absent)
        case .cancelled: self.fail(.shutDown)
        case .trouble(let trouble): self.fill.decide { $0.broke(self.id, trouble, error.message, retryAfter: error.retryAfter) }
        }
    }

    static func failure(_ error: any Error) -> FillFailure {
        switch error {
        case let failure as FillFailure: return failure
        case let error as BlobStoreError where error.code == .noSpace: return .noSpace
        case let error as MetadataError:
            if case .noSpace = error.code { return .noSpace }
            return .internalFailure("\(error)")
        case let error as FormatError:
            switch error.code {
            case .noSpace: return .noSpace
            case .quotaExceeded: return .overQuota
            case .cancelled: return .shutDown
            default: return .refused(error.message)
            }
        case is CancellationError: return .shutDown
        default: return .internalFailure("\(error)")
        }
    }
}
