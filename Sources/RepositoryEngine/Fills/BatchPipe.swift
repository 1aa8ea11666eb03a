import NIOCore
import Synchronization

/// Between one task that receives and one that writes: hands over whatever has gathered while the last batch was written. Slow bytes so go
/// on at once, fast ones in large batches, and the receiver waits where `limit` bytes are ahead.
final class BatchPipe: Sendable {
    struct Batch: Sendable {
        var buffers: [ByteBuffer] = []
        var size = 0
    }

    private struct State {
        var batch = Sink.Batch()
        var isFinished = false
        var taker: CheckedContinuation<Void, Never>?
        var giver: CheckedContinuation<Void, Never>?
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int = Sink.batchSize) { self.limit = limit }

    /// Returns when there is room for more, or the pipe is finished.
    func put(_ bytes: ByteBuffer) async {
        let taker = self.state.withLock { state in
            state.batch.append(bytes)
            defer { state.taker = nil }
            return state.taker
        }
        taker?.resume()
        await withCheckedContinuation { continuation in
            let goesOn = self.state.withLock { state in
                guard state.batch.size >= self.limit, !state.isFinished else { return true }
                state.giver = continuation
                return false
            }
            if goesOn { continuation.resume() }
        }
    }

    /// No more comes, or nobody takes any more.
    func finish() {
        let waiting = self.state.withLock { state in
            state.isFinished = true
            defer { (state.taker, state.giver) = (nil, nil) }
            return [state.taker, state.giver]
        }
        for continuation in waiting { continuation?.resume() }
    }

    /// What has gathered, at least a byte; nil at the end. Ends within bounded time: whoever gives finishes the pipe, cancelled or not.
    func take() async -> Batch? {
        while true {
            let (batch, giver, isFinished) = self.state.withLock { state in
                defer { (state.batch, state.giver) = (Sink.Batch(), nil) }
                return (Batch(buffers: state.batch.buffers, size: state.batch.size), state.giver, state.isFinished)
            }
            giver?.resume()
            if batch.size > 0 { return batch }
            if isFinished { return nil }
            await withCheckedContinuation { continuation in
                let goesOn = self.state.withLock { state in
                    guard state.batch.size == 0, !state.isFinished else { return true }
                    state.taker = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        }
    }
}
