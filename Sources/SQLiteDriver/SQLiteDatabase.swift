public import ArtifactModel
public import SQLMetadata
public import StorageAPI

/// SQLite through its C API: one writer with group commit, and readers on the pool.
public final class SQLiteDatabase: SQLDatabase {
    private let pool: any BlockingPool
    let writer: SQLiteWriter
    /// nil for `:memory:`, where readers use the writer's connection.
    private let readers: SQLiteReaders?

    /// - Parameters:
    ///   - pool: where readers run; its threads bound the number of connections.
    ///   - reserve: released where there is no space for a batch that frees some.
    /// - Throws: `.io` where the file cannot be opened, `.corrupt` where it is no database.
    public static func open(
        _ location: SQLiteLocation, on pool: any BlockingPool, options: SQLiteOptions = SQLiteOptions(), reserve: (any SpaceReserve)? = nil
    ) async throws(MetadataError) -> SQLiteDatabase {
        let writer = try await Self.unwrap(pool) { SQLiteWriter(try SQLiteConnection(location, for: .writing, options), reserve: reserve) }
        return SQLiteDatabase(pool: pool, writer: writer, readers: location == .memory ? nil : SQLiteReaders(location, options))
    }

    init(pool: any BlockingPool, writer: SQLiteWriter, readers: SQLiteReaders?) {
        self.pool = pool
        self.writer = writer
        self.readers = readers
    }

    public var dialect: SQLDialect { .sqlite }

    public func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> Result) async throws(MetadataError) -> Result {
        try await Self.unwrap(self.pool) { try self.readNow(body) }
    }

    public func commit(_ batch: [SQLStep]) async throws(MetadataError) { try await self.writer.commit(batch) }

    public func commitFreeing(_ batch: [SQLStep]) async throws(MetadataError) { try await self.writer.commit(batch, isFreeing: true) }

    /// Waits for what is queued, moves the log into the file and closes it. What comes later is refused as cancelled.
    public func close() async throws(MetadataError) {
        self.readers?.close()
        try await self.writer.close()
    }

    /// On the caller's thread, which may block.
    func readNow<Result: Sendable>(_ body: @Sendable (any SQLReader) throws -> Result) throws -> Result {
        if let readers = self.readers { return try readers.read(body) }
        return try self.writer.read(body)
    }

    private static func unwrap<T: Sendable>(_ pool: any BlockingPool, _ work: @escaping @Sendable () throws -> T) async throws(MetadataError) -> T {
        guard !Task.isCancelled else { throw MetadataError(.cancelled, "the task was cancelled") }
        do {
            return try await pool.run(work)
        } catch let error as MetadataError {
            throw error
        } catch let error as CancellationError {
            throw MetadataError(.cancelled, "the pool is shut down", cause: error)
        } catch {
            throw MetadataError(.corrupt, "a row could not be read", cause: error)
        }
    }
}

extension SQLiteDatabase {
    /// How SQLite would find the rows of a statement, line by line: for tests, and for looking into a slow one.
    public func plan(of statement: SQLStatement) async throws(MetadataError) -> [String] {
        try await Self.unwrap(self.pool) {
            let read: @Sendable (SQLiteConnection) throws -> [String] = { try $0.plan(of: statement) }
            if let readers = self.readers { return try readers.read(read) }
            return try self.writer.read(read)
        }
    }
}
