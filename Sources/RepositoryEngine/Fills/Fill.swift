import ArtifactModel
import FormatAPI
import NIOCore
import StorageAPI
import Synchronization

import struct Logging.Logger

/// One file that arrives from an upstream: the shell around a `FillMachine`. Readers hold it; it never waits for them.
///
/// A `Mutex` and no actor: the server's tasks prefer event loops as executors, and an actor called from there runs there. What the machine
/// decides is carried out after the lock is left, in the order of the decisions.
final class Fill: Sendable {
    struct Key: Hashable, Sendable {
        var repository: RepositoryID
        var path: AssetPath
    }

    struct State {
        var machine: FillMachine
        var head: AnswerHead?
        var writer: (any BlobWriter)?
        /// Live: what is asked of it has been written.
        var arriving: (any ContentSource)?
        /// Over the file's beginning, as far as it came in order; nil while a batch is being hashed.
        var hasher: MultiHasher?
        var kept: (any ContentSource)?
        /// What the format made of it, before readers have all of it.
        var staged: (blob: StagedBlob, edit: Edit)?
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var signs: [Int: StopSign] = [:]
        var serial = 0
        var readers = 0
        /// Of those whose bytes are in it.
        var reproaches: [@Sendable () -> Void] = []
        /// When the first byte was there.
        var began: ContinuousClock.Instant?
        var touched = ContinuousClock.now

        /// There in parts, which nobody reads and nothing adds to.
        var isIdle: Bool {
            (self.machine.phase == .open || self.machine.phase == .asking) && self.readers == 0 && self.machine.transfers.isEmpty
        }
    }

    let key: Key
    let want: ContentRequest
    let resource: UpstreamResource
    let origin: ProxyOrigin
    /// What is kept and may still be right: the first request asks only for another.
    let known: Validators?
    let state: Mutex<State>
    let owner: any FillWork

    init(_ key: Key, _ want: ContentRequest, _ resource: UpstreamResource, known: Validators?, origin: ProxyOrigin, owner: any FillWork) {
        self.key = key
        self.want = want
        self.resource = resource
        self.origin = origin
        self.known = known
        self.owner = owner
        let algorithms = want.computing.union(want.expecting.map(\.algorithm))
        self.state = Mutex(State(machine: FillMachine(hasDigest: !want.expecting.isEmpty), hasher: MultiHasher(algorithms)))
    }

    var compute: any BlockingPool { self.owner.compute }

    // MARK: What the machine decides

    /// Lets the machine decide under the lock, and carries it out.
    /// - Returns: whether the caller needs a request of its own.
    @discardableResult
    func decide(_ decision: (inout FillMachine) -> [FillMachine.Step]) -> Bool {
        let (steps, waiters, signs) = self.state.withLock { state in
            let steps = decision(&state.machine)
            var waiters: [CheckedContinuation<Void, Never>] = []
            if steps.contains(.wake) {
                waiters = Array(state.waiters.values)
                state.waiters = [:]
            }
            var signs: [StopSign] = []
            for case .stop(let id) in steps { if let sign = state.signs.removeValue(forKey: id) { signs.append(sign) } }
            return (steps, waiters, signs)
        }
        for waiter in waiters { waiter.resume() }
        for sign in signs { sign.raise() }
        for step in steps { self.carryOut(step) }
        return steps.contains(.passThrough)
    }

    private func carryOut(_ step: FillMachine.Step) {
        switch step {
        case .request(let id, let from, let end, let validator):
            let sign = StopSign()
            self.state.withLock { $0.signs[id] = sign }
            let transfer = FillTransfer(fill: self, id: id, from: from, end: end, validator: validator)
            self.start { await sign.run { await transfer.run() } }
        case .verify: self.start { await self.verify() }
        case .keep: self.start { await self.keep() }
        case .discard: self.start { await self.discard() }
        case .stop, .wake, .passThrough: break
        }
    }

    private func start(_ job: @escaping @Sendable () async -> Void) {
        guard !self.owner.start(job) else { return }
        // The server ends, or has more to do than it can.
        self.decide { $0.fail(.shutDown) }
    }

    // MARK: Readers

    /// Parks until something has changed since `look` was true, or the reader's task is cancelled.
    func wait(while look: @Sendable (State) -> Bool) async {
        let number = self.state.withLock { state in
            state.serial += 1
            return state.serial
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let parked = self.state.withLock { state in
                    guard look(state), !Task.isCancelled else { return false }
                    state.waiters[number] = continuation
                    return true
                }
                if !parked { continuation.resume() }
            }
        } onCancel: {
            self.state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }

    /// What is known of the file as soon as the upstream has answered.
    /// - Throws: `FillFailure`; `CancellationError`.
    func opened() async throws -> AnswerHead {
        while true {
            try Task.checkCancellation()
            let (head, failure): (AnswerHead?, FillFailure?) = self.state.withLock { state in
                if case .failed(let failure) = state.machine.phase { return (nil, failure) }
                return (state.machine.phase == .asking ? nil : state.head, nil)
            }
            if let failure { throw failure }
            if let head { return head }
            await self.wait { $0.machine.phase == .asking }
        }
    }

    func enter() { self.state.withLock { $0.readers += 1 } }

    func leave() {
        let left = self.state.withLock { state in
            state.readers -= 1
            state.touched = .now
            return state.readers
        }
        if left == 0 { self.owner.abandoned(self) }
    }

    // MARK: Bytes

    /// Makes the place for the bytes, once the first answer is there.
    /// - Throws: `FormatError`, `BlobStoreError`.
    func prepare(_ head: AnswerHead) async throws {
        guard self.state.withLock({ $0.writer == nil }) else { return }
        if let largest = self.want.largest, let length = head.length, length > largest { throw Self.tooLarge(largest) }
        try await self.origin.shelf.admit(head.length)
        let writer = try await self.origin.shelf.store.create()
        let arriving = writer.arriving()
        // One transfer asks while nothing is known, so that nobody else is here.
        self.state.withLock { state in
            state.writer = writer
            state.arriving = arriving
            state.head = head
        }
    }

    /// Writes of a transfer's next bytes, which are to be at `offset`, what is not there yet.
    func write(_ batch: BatchPipe.Batch, at offset: Int64, of transfer: Int) async throws {
        let end = offset + Int64(batch.size)
        if let largest = self.want.largest, end > largest { throw Self.tooLarge(largest) }
        try await self.admit(until: end)
        let parts = self.state.withLock { $0.machine.take(transfer, Int64(batch.size)) }
        for part in parts {
            try await self.write(
                part == offset..<end ? batch.buffers : Self.slice(batch.buffers, part.lowerBound - offset..<part.upperBound - offset), at: part.lowerBound)
        }
        if !parts.isEmpty {
            self.state.withLock { state in
                if state.began == nil { state.began = .now }
            }
        }
        self.decide { $0.wrote(transfer, Int64(batch.size), parts) }
    }

    /// Of a file whose length the upstream has not said, nobody could ask before whether there is room for it.
    private func admit(until end: Int64) async throws {
        guard self.state.withLock({ $0.machine.length }) == nil else { return }
        if let room = self.origin.shelf.room, end > room { throw self.origin.shelf.overQuota }
        _ = try await self.origin.shelf.allowance()
    }

    private static func slice(_ buffers: [ByteBuffer], _ range: Range<Int64>) -> [ByteBuffer] {
        var out: [ByteBuffer] = []
        var at: Int64 = 0
        for buffer in buffers {
            let end = at + Int64(buffer.readableBytes)
            let (from, to) = (max(at, range.lowerBound), min(end, range.upperBound))
            if from < to, let part = buffer.getSlice(at: buffer.readerIndex + Int(from - at), length: Int(to - from)) { out.append(part) }
            at = end
        }
        return out
    }

    private static func tooLarge(_ largest: Int64) -> FormatError {
        FormatError(.upstreamFailed, "the upstream's answer is larger than \(largest) bytes")
    }

    /// Writes at `offset`, and hashes beside where it goes on with what was hashed.
    private func write(_ buffers: [ByteBuffer], at offset: Int64) async throws {
        let (writer, hasher) = self.state.withLock { state -> ((any BlobWriter)?, MultiHasher?) in
            guard let hasher = state.hasher, hasher.length == offset else { return (state.writer, nil) }
            state.hasher = nil
            return (state.writer, hasher)
        }
        guard let writer else { throw BlobStoreError(.io, "a fill has no place for its bytes") }
        if let hasher {
            async let advanced = self.owner.compute.run {
                var hasher = hasher
                hasher.update(buffers)
                return hasher
            }
            // Whatever becomes of the write: the state goes back, so that a later transfer can go on with it.
            let outcome = await Result { () async throws in try await writer.write(buffers, at: offset) }
            let result = try await advanced
            self.state.withLock { state in
                if case .success = outcome { state.hasher = result } else { state.hasher = hasher }
            }
            try outcome.get()
        } else {
            try await writer.write(buffers, at: offset)
        }
    }
}

extension Result where Failure == any Error {
    /// What `work` came to, so that what comes after it runs either way.
    fileprivate init(_ work: () async throws -> Success) async {
        do { self = .success(try await work()) } catch { self = .failure(error) }
    }
}

/// Where a fill's bytes come from and go to: a proxy repository, for as long as its configuration holds.
struct ProxyOrigin: Sendable {
    var repository: RepositoryID
    var name: RepositoryName
    var upstream: any UpstreamClient
    var shelf: BlobShelf
    var metadata: any MetadataStore
    var now: WallClock
    var logger: Logger

    /// nil: the upstream has no such thing.
    /// - Throws: `FormatError`.
    func ask(_ call: UpstreamCall) async throws -> UpstreamReply? {
        do {
            let answer = try await self.upstream.send(UpstreamRequest(call))
            guard let body = try await answer.body.collect(upTo: call.limit) else {
                throw FormatError(.upstreamFailed, "the upstream's answer is larger than \(call.limit) bytes")
            }
            return UpstreamReply(headers: answer.headers, body: body)
        } catch let error as UpstreamError {
            if error.code == .absent { return nil }
            throw FormatError(error)
        }
    }

    func warn(_ message: String, _ path: AssetPath) {
        self.logger.warning("\(message)", metadata: ["repository": "\(self.name)", "path": "\(path)"])
    }
}

/// What fills need of their owner.
protocol FillWork: Sendable {
    var compute: any BlockingPool { get }
    /// Runs `job` as a child of the owner's task.
    /// - Returns: false: not any more, or not now.
    func start(_ job: @escaping @Sendable () async -> Void) -> Bool
    /// The last reader has gone.
    func abandoned(_ fill: Fill)
    /// It is over, one way or the other.
    func ended(_ fill: Fill)
}
