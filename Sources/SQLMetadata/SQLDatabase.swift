public import StorageAPI

/// What differs between SQLite and PostgreSQL: how a query is read and how a batch becomes one transaction.
///
/// Placeholders are `$1`, `$2`, …, first used in ascending order, so that one text serves both.
public protocol SQLDatabase: Sendable {
    var dialect: SQLDialect { get }
    /// Runs `body` on a thread where it may block, with a reader that is valid until it returns. Sees what is committed; a row or a
    /// reader does not leave `body`. Several queries in one `body` need not see one snapshot.
    /// - Throws: the `MetadataError` that `body` threw; `.corrupt` for another error of it, which says that a row could not be read.
    func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> Result) async throws(MetadataError) -> Result
    /// All or none, in order. Returns after the commit is on disk.
    /// - Throws: the code of the first `require` that does not hold; nothing was changed then.
    func commit(_ batch: [SQLStep]) async throws(MetadataError)
    /// The same for a batch that frees space, in the database or by what follows from it: it may use what is kept back for that.
    func commitFreeing(_ batch: [SQLStep]) async throws(MetadataError)
}

extension SQLDatabase {
    public func commitFreeing(_ batch: [SQLStep]) async throws(MetadataError) { try await self.commit(batch) }
}

public enum SQLDialect: Hashable, Sendable { case sqlite, postgresql }

/// One connection, while a `read` lasts.
public protocol SQLReader: AnyObject {
    /// Calls `each` for at most `limit` rows. `each` must not run the same query.
    func rows(_ query: SQLStatement, limit: Int, _ each: (borrowing SQLRow) throws -> Void) throws
}

extension SQLReader {
    /// The first row, decoded.
    func first<Row>(_ query: SQLStatement, _ decode: (borrowing SQLRow) throws -> Row) throws -> Row? {
        var row: Row?
        try self.rows(query, limit: 1) { row = try decode($0) }
        return row
    }
}

extension SQLDatabase {
    /// At most `limit` rows, decoded.
    public func read<Row: Sendable>(
        _ query: SQLStatement, limit: Int, _ decode: @escaping @Sendable (borrowing SQLRow) throws -> Row
    ) async throws(MetadataError) -> [Row] {
        try await self.read { reader in
            var rows: [Row] = []
            try reader.rows(query, limit: limit) { rows.append(try decode($0)) }
            return rows
        }
    }

    /// The first row, decoded.
    public func first<Row: Sendable>(
        _ query: SQLStatement, _ decode: @escaping @Sendable (borrowing SQLRow) throws -> Row
    ) async throws(MetadataError) -> Row? {
        try await self.read { reader in try reader.first(query, decode) }
    }
}
