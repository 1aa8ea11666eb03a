/// Where the database is.
public enum SQLiteLocation: Hashable, Sendable {
    /// A path; the folder must exist. `-wal` and `-shm` are beside it.
    case file(String)
    /// Nothing is on disk; one connection serves readers and writer. For tests.
    case memory
}

public struct SQLiteOptions: Hashable, Sendable {
    /// Of each connection, in KiB: one for the writer, and one for each thread that reads.
    public var cacheKiB = 8 << 10
    /// How much of the file each connection maps, in bytes. None: with a million assets a mapping saves a look-up nothing that is measured,
    /// counts the page cache as the process's own memory, once for each connection, and makes a failing disk a signal instead of an error.
    public var mappedBytes: Int64 = 0
    /// How long another process is waited for that holds the write lock.
    public var busyTimeout: Duration = .seconds(5)
    /// The write-ahead log is cut to this after a checkpoint, in bytes.
    public var logBytes: Int64 = 64 << 20

    public init() {}
}
