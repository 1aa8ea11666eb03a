/// Decides what a fill does next; has no sockets, files or clock. Offsets in bytes.
///
/// ```
///  asking ──answered──▶ open ──whole──▶ verifying ──right──▶ keeping ──▶ kept
///    │                   │ ▲ broke: goes on by range │            │
///    └───────────────────┴─┴─── failed ◀── mismatch ─┴────────────┘
/// ```
///
/// One sparse file, the ranges of it that are there, and at most a few transfers that fill it. A plain download is one transfer to the end; a
/// range of cold content is one transfer, aligned; going on after a cut is the same transfer asked again.
struct FillMachine: Sendable {
    enum Phase: Hashable, Sendable {
        case asking, open, verifying
        /// All of it is right and readers may have it; it is being sealed and committed.
        case keeping
        case kept
        case failed(FillFailure)
    }

    enum Step: Hashable, Sendable {
        /// `from` to `to` (exclusive; nil: the end), with `If-Range` where there is a validator.
        case request(transfer: Int, from: Int64, to: Int64?, validator: String?)
        case stop(transfer: Int)
        /// Nothing ties two answers of this upstream together: this reader needs a request of its own, which keeps nothing.
        case passThrough
        /// Hash what has not been hashed and compare; then `verified`.
        case verify(length: Int64)
        /// Seal and commit; then `committed`.
        case keep(length: Int64)
        /// Readers look again; after `failed` they are thrown it.
        case wake
        case discard
    }

    struct Transfer: Hashable, Sendable {
        var start: Int64
        var next: Int64
        /// Exclusive; nil: the end.
        var end: Int64?
        var attempts = 0
    }

    struct Limits: Hashable, Sendable {
        /// A transfer that will come to a reader's place within so many bytes is waited for.
        var window: Int64 = 4 << 20
        /// Ranges of a cold file come by dozens where its layers are pulled lazily.
        var transfers = 64
        /// Requests in a row that brought nothing.
        var attempts = 5
        var holdBack: Int64 = 64 << 10
        var align: Int64 = 1 << 20
    }

    private(set) var phase: Phase = .asking
    /// Why it is not going to be kept; readers may have all of it nevertheless.
    private(set) var unkept: FillFailure?
    private(set) var present = PresentRanges()
    /// What is there and what is being written.
    private var taken = PresentRanges()
    /// nil: the upstream has not said.
    private(set) var length: Int64?
    /// A strong entity tag, or a date, of the first answer.
    private(set) var validator: String?
    private(set) var transfers: [Int: Transfer] = [:]
    private var serial = 0
    private let limits: Limits
    /// A digest is known that the whole must have, so that parts of different answers can be put together without a validator.
    private let hasDigest: Bool

    init(hasDigest: Bool, limits: Limits = Limits()) {
        self.hasDigest = hasDigest
        self.limits = limits
    }

    /// Beyond it there are no bytes; sums below it do not overflow.
    static let farthest: Int64 = 1 << 60

    /// How far a reader at `offset` may be served now. To one that began at 0 the tail is held back until the whole is right: a client that
    /// verifies nothing sees a transfer cut short, never a complete wrong file. One that asked for a part is not held.
    func visible(from offset: Int64, begunAtZero: Bool) -> Int64 {
        let end = self.present.end(from: offset)
        guard begunAtZero, self.phase != .keeping, self.phase != .kept else { return end }
        return max(offset, min(end, (self.length ?? end) - self.limits.holdBack))
    }

    /// All of it is here, and it is not kept yet.
    var isEnding: Bool { self.phase == .verifying || self.phase == .keeping }

    var isOver: Bool {
        switch self.phase {
        case .asking, .open, .verifying, .keeping: false
        case .kept, .failed: true
        }
    }

    /// A reader wants `want` (nil: all). No step: the bytes are there, or a running transfer reaches them soon, or nobody knows yet what the
    /// upstream is: the reader joins again when it is woken.
    mutating func join(_ want: Range<Int64>?) -> [Step] {
        guard self.phase == .open || (self.phase == .asking && self.transfers.isEmpty) else { return [] }
        if let want, want.lowerBound > 0 || want.upperBound < (self.length ?? .max) { return self.joinPart(want) }
        guard !self.transfers.values.contains(where: { $0.end == nil }) else { return [] }
        guard self.canCombine else { return [.passThrough] }
        return [self.start(self.present.end(from: 0), nil)]
    }

    private mutating func joinPart(_ want: Range<Int64>) -> [Step] {
        let end = min(want.upperBound, self.length ?? Self.farthest)
        let missing = self.present.end(from: want.lowerBound)
        guard missing < end, !self.reaches(missing..<end) else { return [] }
        guard self.canCombine, self.transfers.count < self.limits.transfers else { return [.passThrough] }
        let aligned = missing / self.limits.align * self.limits.align
        let from = max(aligned, self.present.end(from: aligned))
        let (rounded, overflow) = end.addingReportingOverflow(self.limits.align - 1)
        let to = overflow ? end : rounded / self.limits.align * self.limits.align
        return [self.start(from, min(to, self.length ?? to))]
    }

    private func reaches(_ want: Range<Int64>) -> Bool {
        self.transfers.values.contains {
            $0.start <= want.lowerBound && want.lowerBound - $0.next <= self.limits.window && ($0.end ?? .max) >= want.upperBound
        }
    }

    /// Whether another answer may be put beside what is there.
    private var canCombine: Bool { (self.transfers.isEmpty && self.present.ranges.isEmpty) || self.validator != nil || self.hasDigest }

    /// The head of an answer whose bytes begin at `from`. Another validator or length than before: another file, all is dropped.
    mutating func answered(_ id: Int, from: Int64, length: Int64?, validator: String?) -> [Step] {
        guard let asked = self.transfers[id], self.phase == .asking || self.phase == .open else { return [.stop(transfer: id)] }
        if self.phase == .open, self.differs(length, validator) { return self.fail(.changed) }
        let heeded = from == asked.next
        // The whole comes anyway by another transfer.
        if !heeded, self.transfers.contains(where: { $0.key != id && $0.value.end == nil }) {
            self.transfers[id] = nil
            return [.stop(transfer: id)]
        }
        guard heeded || from == 0 else { return self.fail(.upstream(.badAnswer, "the upstream answered with another range than it was asked for")) }
        let end = heeded ? asked.end.map { min($0, length ?? $0) } : nil
        self.transfers[id] = Transfer(start: heeded ? asked.start : from, next: from, end: end, attempts: asked.attempts)
        if self.phase == .asking { self.validator = validator }
        self.length = self.length ?? length
        self.phase = .open
        return [.wake]
    }

    private func differs(_ length: Int64?, _ validator: String?) -> Bool {
        if let known = self.length, let length, known != length { return true }
        // With a digest the sum tells; without one an answer that has lost its validator proves nothing.
        return !self.hasDigest && self.validator != validator
    }

    /// The next `count` bytes of a transfer have come. Answers overlap where an upstream ignores ranges, and may differ where nothing but a
    /// digest ties them together: no byte is written twice, so that what was hashed, and what readers have had, is what stays.
    /// - Returns: which of them are to be written; nobody else is told to write them.
    mutating func take(_ id: Int, _ count: Int64) -> [Range<Int64>] {
        guard let transfer = self.transfers[id], self.phase == .open, count > 0 else { return [] }
        let bytes = transfer.next..<transfer.next + count
        let parts = self.taken.gaps(in: bytes)
        self.taken.insert(bytes)
        return parts
    }

    /// The next `count` bytes of a transfer have been dealt with.
    /// - Parameter parts: which of them are in the file now, as `take` said; nil: all.
    mutating func wrote(_ id: Int, _ count: Int64, _ parts: [Range<Int64>]? = nil) -> [Step] {
        guard var transfer = self.transfers[id], self.phase == .open, count > 0 else { return [] }
        if let length, transfer.next + count > length {
            return self.fail(.upstream(.badAnswer, "the upstream sent more than the \(length) bytes that it declared"))
        }
        // Bytes that were there already are no progress: an upstream that ignores ranges and always breaks off would be asked for ever.
        if self.present.end(from: transfer.next) < transfer.next + count { transfer.attempts = 0 }
        for part in parts ?? [transfer.next..<(transfer.next + count)] { self.present.insert(part) }
        transfer.next += count
        self.transfers[id] = transfer
        return [.wake] + self.verifyIfWhole()
    }

    /// The part that was asked for lies beyond the end: nobody else's matter, where that is a place to end.
    mutating func unsatisfied(_ id: Int, length: Int64) -> [Step] {
        guard let transfer = self.transfers[id], self.phase == .open else { return [] }
        guard self.length == nil || self.length == length, transfer.next >= length, self.present.ranges.allSatisfy({ $0.upperBound <= length }) else {
            return self.fail(.changed)
        }
        self.transfers[id] = nil
        self.length = length
        return [.wake] + self.verifyIfWhole()
    }

    /// The answer's body came to its end.
    mutating func ended(_ id: Int) -> [Step] {
        guard let transfer = self.transfers[id], self.phase == .open else { return [] }
        if let end = transfer.end ?? self.length, transfer.next < end { return self.broke(id, .cut, "the upstream's answer ended early") }
        self.transfers[id] = nil
        if transfer.end == nil, self.length == nil { self.length = transfer.next }
        return [.wake] + self.verifyIfWhole()
    }

    /// Mirrors and first connections are the upstream client's matter; here a begun transfer goes on where it stopped.
    mutating func broke(_ id: Int, _ trouble: Trouble, _ reason: String, retryAfter: Duration? = nil) -> [Step] {
        guard var transfer = self.transfers[id] else { return [] }
        transfer.attempts += 1
        guard self.phase == .open, self.validator != nil || self.hasDigest, self.length != nil, transfer.attempts <= self.limits.attempts else {
            return self.fail(.upstream(trouble, reason, retryAfter: retryAfter))
        }
        self.transfers[id] = transfer
        return [.request(transfer: id, from: transfer.next, to: transfer.end, validator: self.validator)]
    }

    /// The whole has been hashed.
    mutating func verified(_ failure: FillFailure?) -> [Step] {
        guard self.phase == .verifying, let length else { return [] }
        if let failure { return self.fail(failure) }
        self.phase = .keeping
        return [.wake, .keep(length: length)]
    }

    /// What could not be kept was still right: readers go on with it.
    mutating func committed(_ failure: FillFailure?) -> [Step] {
        guard self.phase == .keeping else { return [] }
        if let failure {
            self.unkept = failure
            return [.discard, .wake]
        }
        self.phase = .kept
        return [.wake]
    }

    /// A transfer cannot go on, and nor can the fill. One that was stopped says so too, perhaps when the file is whole already: not heard.
    mutating func failed(_ id: Int, _ failure: FillFailure) -> [Step] { self.transfers[id] == nil ? [] : self.fail(failure) }

    mutating func fail(_ failure: FillFailure) -> [Step] {
        guard !self.isOver else { return [] }
        let running = self.transfers.keys.sorted().map(Step.stop)
        self.transfers = [:]
        self.phase = .failed(failure)
        self.unkept = failure
        return running + [.wake, .discard]
    }

    private mutating func start(_ from: Int64, _ to: Int64?) -> Step {
        self.serial += 1
        self.transfers[self.serial] = Transfer(start: from, next: from, end: to)
        return .request(transfer: self.serial, from: from, to: to, validator: self.validator)
    }

    private mutating func verifyIfWhole() -> [Step] {
        guard self.phase == .open, let length = self.length, self.present.end(from: 0) >= length else { return [] }
        self.phase = .verifying
        let rest = self.transfers.keys.sorted().map(Step.stop)
        self.transfers = [:]
        return rest + [.verify(length: length)]
    }
}

extension FillFailure {
    /// The upstream said what is so; everything else is trouble, of it or of ours.
    var isAnswer: Bool {
        switch self {
        case .absent, .notModified, .superseded, .beyond: true
        case .upstream, .changed, .mismatch, .refused, .noSpace, .overQuota, .internalFailure, .shutDown: false
        }
    }
}

/// Why a fill ended without its file.
enum FillFailure: Error, Hashable, Sendable {
    /// The upstream has no such thing.
    case absent
    /// Asked whether it is still what is kept, the upstream said yes.
    case notModified
    /// It has been kept meanwhile.
    case superseded
    /// The upstream's file ends at this offset or before it.
    case beyond(Int64)
    case upstream(Trouble, String, retryAfter: Duration? = nil)
    /// The upstream has another file than the one that was begun.
    case changed
    case mismatch(String)
    /// Not what the format takes it for.
    case refused(String)
    case noSpace
    case overQuota
    case internalFailure(String)
    case shutDown
}
