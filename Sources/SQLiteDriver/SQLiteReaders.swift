import StorageAPI
import Synchronization

/// Connections that read, one for each thread that does so at the same time: they are opened when needed and kept.
final class SQLiteReaders: Sendable {
    /// Confines its connection to whoever took it from the list; never contended.
    private final class Reader: Sendable {
        let connection: Mutex<SQLiteConnection>
        init(_ connection: sending SQLiteConnection) { self.connection = Mutex(connection) }
    }
    private struct State {
        var free: [Reader] = []
        var isClosed = false
    }

    private let location: SQLiteLocation
    private let options: SQLiteOptions
    private let state = Mutex(State())

    init(_ location: SQLiteLocation, _ options: SQLiteOptions) {
        self.location = location
        self.options = options
    }

    /// On the caller's thread, which may block.
    func read<Result: Sendable>(_ body: @Sendable (SQLiteConnection) throws -> Result) throws -> Result {
        let reader = try self.take()
        defer { self.state.withLock { state in if !state.isClosed { state.free.append(reader) } } }
        return try reader.connection.withLock { try body($0) }
    }

    /// Those at work close when they are done.
    func close() {
        self.state.withLock { state in
            state.isClosed = true
            state.free.removeAll()
        }
    }

    private func take() throws(MetadataError) -> Reader {
        let free: Reader? = try self.state.withLock { state throws(MetadataError) in
            guard !state.isClosed else { throw MetadataError(.cancelled, "the database is closed") }
            return state.free.popLast()
        }
        if let free { return free }
        return Reader(try SQLiteConnection(self.location, for: .reading, self.options))
    }
}
