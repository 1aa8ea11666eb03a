import CSQLite
import SQLMetadata
import StorageAPI

/// One connection and its prepared statements. Used by one thread at a time: whoever owns it sees to that, as it is opened without
/// SQLite's own lock.
final class SQLiteConnection: SQLReader {
    /// STRICT tables.
    private static let oldest: CInt = 3_037_000
    private let handle: OpaquePointer
    /// By the address of their text.
    private var statements: [UInt: SQLitePreparedStatement] = [:]

    enum Use { case reading, writing }

    init(_ location: SQLiteLocation, for use: Use, _ options: SQLiteOptions) throws(MetadataError) {
        guard sqlite3_libversion_number() >= Self.oldest else {
            throw MetadataError(.io, "SQLite \(String(cString: sqlite3_libversion())) is too old: 3.37 or later is needed")
        }
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (use == .writing ? SQLITE_OPEN_CREATE : 0)
        var handle: OpaquePointer?
        let result = sqlite3_open_v2(location.name, &handle, flags, nil)
        guard let handle else { throw MetadataError(.io, "SQLite has no memory for a connection") }
        self.handle = handle
        guard result == SQLITE_OK else { throw self.error(result, "opening the database") }
        sqlite3_extended_result_codes(handle, 1)
        try self.script(location.settings(for: use, options))
    }

    deinit {
        self.statements.removeAll()
        sqlite3_close_v2(self.handle)
    }

    /// False: no transaction is open. After an error this tells whether SQLite ended it as a whole.
    var isInTransaction: Bool { sqlite3_get_autocommit(self.handle) == 0 }

    func rows(_ query: SQLStatement, limit: Int, _ each: (borrowing SQLRow) throws -> Void) throws {
        let statement = try self.bound(query)
        defer { statement.reset() }
        var count = 0
        while count < limit {
            let result = statement.step()
            guard result != SQLITE_DONE else { return }
            guard result == SQLITE_ROW else { throw self.error(result, "reading") }
            try each(SQLRow(statement))
            count += 1
        }
    }

    /// A statement whose rows do not matter.
    func run(_ query: SQLStatement) throws(MetadataError) {
        let statement = try self.bound(query)
        defer { statement.reset() }
        while true {
            let result = statement.step()
            if result == SQLITE_DONE { return }
            guard result == SQLITE_ROW else { throw self.error(result, "writing") }
        }
    }

    /// Whether the first column of its rows is as expected.
    func holds(_ query: SQLStatement, _ expectation: SQLExpectation) throws(MetadataError) -> Bool {
        let statement = try self.bound(query)
        defer { statement.reset() }
        var check = SQLExpectation.Check(expectation)
        while true {
            let result = statement.step()
            if result == SQLITE_DONE { return check.holds }
            guard result == SQLITE_ROW else { throw self.error(result, "reading") }
            check.see(statement.value(0))
        }
    }

    /// Several statements without values: settings, definitions.
    func script(_ text: String) throws(MetadataError) {
        let result = sqlite3_exec(self.handle, text, nil, nil, nil)
        guard result == SQLITE_OK else { throw self.error(result, "running a script") }
    }

    private func bound(_ query: SQLStatement) throws(MetadataError) -> SQLitePreparedStatement {
        let key = UInt(bitPattern: query.text.utf8Start)
        let statement: SQLitePreparedStatement
        if let known = self.statements[key] {
            statement = known
        } else {
            statement = try self.prepare(query)
            self.statements[key] = statement
        }
        let result = statement.bind(query.values)
        guard result == SQLITE_OK else { throw self.error(result, "binding values") }
        return statement
    }

    /// The lines of `EXPLAIN QUERY PLAN`.
    func plan(of query: SQLStatement) throws(MetadataError) -> [String] {
        let statement = try self.compile("EXPLAIN QUERY PLAN \(query.text)")
        var lines: [String] = []
        while statement.step() == SQLITE_ROW { lines.append(statement.text(3)) }
        return lines
    }

    private func compile(_ text: String) throws(MetadataError) -> SQLitePreparedStatement {
        var handle: OpaquePointer?
        let result = sqlite3_prepare_v3(self.handle, text, -1, CUnsignedInt(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard result == SQLITE_OK, let handle else { throw self.error(result, "preparing «\(text)»") }
        return SQLitePreparedStatement(handle)
    }

    private func prepare(_ query: SQLStatement) throws(MetadataError) -> SQLitePreparedStatement {
        let statement = try self.compile(query.text.description)
        guard statement.placesMatch(query.values) else {
            throw MetadataError(.io, "the placeholders of «\(query.text)» are not $1 to $\(query.values.count) in order of first use")
        }
        return statement
    }

    private func error(_ result: CInt, _ doing: String) -> MetadataError {
        MetadataError(SQLiteResultCodes.code(result), "\(doing): SQLite result \(result), \(String(cString: sqlite3_errmsg(self.handle)))")
    }
}

extension SQLiteLocation {
    fileprivate var name: String {
        switch self {
        case .file(let path): path
        case .memory: ":memory:"
        }
    }

    /// The writer is durable when a commit returns: FULL syncs the log each time. Readers cannot write.
    fileprivate func settings(for use: SQLiteConnection.Use, _ options: SQLiteOptions) -> String {
        let milliseconds = options.busyTimeout.components.seconds * 1000 + options.busyTimeout.components.attoseconds / 1_000_000_000_000_000
        let common = """
            PRAGMA busy_timeout = \(milliseconds);
            PRAGMA cache_size = -\(options.cacheKiB);
            PRAGMA mmap_size = \(options.mappedBytes);
            PRAGMA temp_store = MEMORY;
            PRAGMA trusted_schema = OFF;
            """
        switch use {
        case .reading: return common + "PRAGMA query_only = ON;"
        case .writing:
            return common + """
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                PRAGMA foreign_keys = ON;
                PRAGMA wal_autocheckpoint = 1000;
                PRAGMA journal_size_limit = \(options.logBytes);
                """
        }
    }
}
