import StorageAPI
import Synchronization

/// Gives out row numbers, from blocks of 1,000 that it takes from the database: so a batch is a list of plain values.
///
/// One sequence for all tables. A number is given once; what a process does not use, or an upsert did not need, stays a gap.
/// One caller fetches a block while the others wait for it: with every caller fetching its own, a burst would lose the compare and set
/// to itself again and again.
final class IDBlocks: Sendable {
    private static let blockSize: Int64 = 1000
    /// Against other processes; each loss means that another one won.
    private static let attempts = 64

    private struct State: Sendable {
        var free: Range<Int64> = 0..<0
        var fetching = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private enum Turn { case taken(Range<Int64>), fetch, wait }

    private let database: any SQLDatabase
    private let state = Mutex(State())

    init(_ database: any SQLDatabase) { self.database = database }

    /// `count` numbers in a row.
    func take(_ count: Int) async throws(MetadataError) -> Range<Int64> {
        let count = Int64(count)
        while true {
            switch self.turn(count) {
            case .taken(let numbers): return numbers
            case .wait: await self.wait(count)
            case .fetch:
                do {
                    self.settle(try await self.newBlock(atLeast: count))
                } catch {
                    self.settle(nil)
                    throw error
                }
            }
        }
    }

    private func turn(_ count: Int64) -> Turn {
        self.state.withLock { state in
            if state.free.count >= count {
                let taken = state.free.lowerBound..<state.free.lowerBound + count
                state.free = taken.upperBound..<state.free.upperBound
                return .taken(taken)
            }
            guard !state.fetching else { return .wait }
            state.fetching = true
            return .fetch
        }
    }

    /// Returns when the fetch that runs is over, or at once where it is over by now. It is short, so cancellation does not end the wait.
    private func wait(_ count: Int64) async {
        await withCheckedContinuation { continuation in
            let over = self.state.withLock { state in
                guard state.fetching else { return true }
                state.waiting.append(continuation)
                return false
            }
            if over { continuation.resume() }
        }
    }

    private func settle(_ block: Range<Int64>?) {
        let waiting = self.state.withLock { state in
            if let block { state.free = block }
            state.fetching = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Compare and set, as another node may take blocks too.
    private func newBlock(atLeast count: Int64) async throws(MetadataError) -> Range<Int64> {
        let size = max(Self.blockSize, count)
        for _ in 0..<Self.attempts {
            let seen = try await self.database.first(SQLStatement("SELECT next FROM id_blocks WHERE name = 'rows'")) { $0.integer(0) }
            let start = seen ?? 1
            do {
                try await self.database.commit([
                    .require(
                        SQLStatement("SELECT next FROM id_blocks WHERE name = 'rows'"), .among(seen.map { [.integer($0)] } ?? [], orNoRow: seen == nil),
                        orElse: .busy),
                    .run(
                        SQLStatement(
                            "INSERT INTO id_blocks (name, next) VALUES ('rows', $1) ON CONFLICT (name) DO UPDATE SET next = excluded.next",
                            [.integer(start + size)])),
                ])
                return start..<start + size
            } catch {
                guard error.code == .busy else { throw error }
            }
        }
        throw MetadataError(.busy, "no block of row numbers could be taken in \(Self.attempts) attempts")
    }
}
