import ArtifactModel
import FormatAPI
import Synchronization

/// One response's view of a fill. Made by who has entered it; letting go of it leaves.
final class FillReader: ContentSource {
    /// In bytes: a crowd's first bytes go out to each before megabytes go to one.
    private static let firstPiece: Int64 = 64 << 10

    private struct State {
        /// Where nothing ties the upstream's answers together.
        var direct: DirectContent?
        var first: Int64?
        var isTimed = false
    }

    private let fill: Fill
    /// What it is going to read; nil: all.
    private let wanted: Range<Int64>?
    private let entered = ContinuousClock.now
    private let times: FillTimes
    private let state = Mutex(State())

    init(_ fill: Fill, wanted: Range<Int64>?, times: FillTimes) {
        self.fill = fill
        self.wanted = wanted
        self.times = times
    }

    deinit { self.fill.leave() }

    /// Of the file; nil: known when it ends.
    var length: Int64? { self.fill.state.withLock { $0.machine.length } }

    private enum Look {
        case piece(any ContentSource, limit: Int64)
        case end
        case failed(FillFailure)
        case nothing
    }

    func next(at offset: Int64, limit: Int64) async throws -> ContentPiece? {
        let limit = self.time(offset) ? min(limit, Self.firstPiece) : limit
        if let direct = self.state.withLock({ $0.direct }) { return try await direct.next(at: offset, limit: limit) }
        while true {
            try Task.checkCancellation()
            switch self.fill.state.withLock({ self.look($0, offset, limit) }) {
            case .piece(let source, let limit): return try await source.next(at: offset, limit: limit)
            case .end: return nil
            case .failed(let failure): throw FormatError(failure)
            case .nothing: break
            }
            let rest = self.wanted.map { Self.rest(of: $0, at: offset, limit) }
            if self.fill.decide({ $0.join(rest) }) { return try await self.goAlone(from: offset, limit: limit) }
            await self.fill.wait { state in
                if case .nothing = self.look(state, offset, limit) { return true }
                return false
            }
        }
    }

    /// What is still wanted. Of several ranges the first is known from the start; each of the others is as its bytes are asked for.
    private static func rest(of wanted: Range<Int64>, at offset: Int64, _ limit: Int64) -> Range<Int64> {
        wanted.contains(offset) ? offset..<wanted.upperBound : offset..<(limit > .max - offset ? .max : offset + limit)
    }

    private func look(_ state: Fill.State, _ offset: Int64, _ limit: Int64) -> Look {
        if case .failed(let failure) = state.machine.phase { return .failed(failure) }
        if let length = state.machine.length, offset >= length, state.machine.phase == .keeping || state.machine.phase == .kept { return .end }
        let visible = state.machine.visible(from: offset, begunAtZero: self.wanted == nil)
        guard visible > offset, let source = state.kept ?? state.arriving else { return .nothing }
        return .piece(source, limit: min(limit, visible - offset))
    }

    private func goAlone(from offset: Int64, limit: Int64) async throws -> ContentPiece? {
        let end = self.wanted.flatMap { $0.upperBound == .max ? nil : $0.upperBound }
        let direct = DirectContent(self.fill.origin.upstream, self.fill.resource, self.fill.want.kind, length: self.length, from: offset, to: end)
        self.state.withLock { $0.direct = direct }
        return try await direct.next(at: offset, limit: limit)
    }

    /// The second question comes when the first piece has been written to the client.
    /// - Returns: whether this is the first question.
    private func time(_ offset: Int64) -> Bool {
        let (isFirst, isSecond) = self.state.withLock { state in
            guard let first = state.first else {
                state.first = offset
                return (true, false)
            }
            guard !state.isTimed, offset > first else { return (offset == first, false) }
            state.isTimed = true
            return (false, true)
        }
        if isSecond, let began = self.fill.state.withLock({ $0.began }) { self.times.add(ContinuousClock.now - max(began, self.entered)) }
        return isFirst
    }
}

extension FormatError {
    /// Whether it says that what came is not what it was asked for as.
    var isOfBrokenDocument: Bool {
        if case .refused? = self.cause as? FillFailure { true } else { false }
    }

    /// What a client is told of a fill that failed.
    init(_ failure: FillFailure) {
        switch failure {
        case .absent: self.init(.notFound, "the upstream does not have this")
        case .beyond: self.init(.wrongRange, "the file ends before the range that was asked for")
        case .upstream(let trouble, let reason, let delay): self.init(trouble: trouble, reason, retryAfter: delay)
        case .changed: self.init(.upstreamFailed, "the upstream's file changed while it was being fetched; try again", cause: failure)
        case .mismatch(let what): self.init(.upstreamFailed, what, cause: failure)
        case .refused(let what): self.init(.upstreamFailed, what, cause: failure)
        case .noSpace: self.init(.noSpace, "the server has no space left to keep this")
        case .overQuota: self.init(.quotaExceeded, "the blob store has reached its quota")
        case .shutDown: self.init(.unavailable, "the server is busy or ending; try again", retryAfter: .seconds(2))
        case .notModified, .superseded, .internalFailure:
            self.init(.internalFailure, "the server failed at this; its log says more under the request's id", cause: failure)
        }
    }

    /// Labelled: both kinds of words have a `forbidden` and a `throttled`, and they mean other things.
    init(trouble: Trouble, _ reason: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) {
        let code: Code =
            switch trouble {
            case .unreachable, .tls: .upstreamUnreachable
            case .timedOut: .upstreamTimedOut
            case .throttled, .paused: .unavailable
            case .cut, .failed, .badAnswer, .unauthorized, .denied, .forbidden: .upstreamFailed
            }
        // An upstream that counts requests and does not say for how long is not asked again at once.
        self.init(code, reason, retryAfter: retryAfter ?? (trouble == .throttled ? .seconds(5) : nil), cause: cause)
    }
}
