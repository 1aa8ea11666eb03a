import StorageAPI
import Synchronization

/// Gives out row numbers, from blocks of 1,000 that it takes from the database: so a batch is a list of plain values.
///
/// One sequence for all tables. A number is given once; what a process does not use, or an upsert did not need, stays a gap.
final class IDBlocks: Sendable {
    private static let blockSize: Int64 = 1000
    private static let attempts = 16
    private let database: any SQLDatabase
    private let free = Mutex<Range<Int64>>(0..<0)

    init(_ database: any SQLDatabase) { self.database = database }

    /// `count` numbers in a row.
    func take(_ count: Int) async throws(MetadataError) -> Range<Int64> {
        let count = Int64(count)
        if let taken = self.free.withLock({ Self.cut(count, from: &$0) }) { return taken }
        var block = try await self.newBlock(atLeast: count)
        let taken = block.lowerBound..<block.lowerBound + count
        block = taken.upperBound..<block.upperBound
        // Another caller may have fetched a block meanwhile: the longer rest is kept.
        self.free.withLock { rest in if block.count > rest.count { rest = block } }
        return taken
    }

    private static func cut(_ count: Int64, from range: inout Range<Int64>) -> Range<Int64>? {
        guard range.count >= count else { return nil }
        let taken = range.lowerBound..<range.lowerBound + count
        range = taken.upperBound..<range.upperBound
        return taken
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
