import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The folder that holds everything, opened by one process at a time.
///
/// <data>/entrepot.sqlite   all metadata, with -wal and -shm beside it
/// <data>/reserve           space for deletes on a full disk
/// <data>/blobs             bytes, of the blob store whose path this is
/// <data>/audit             who did what: the audit trail's segments; mode 0700
/// <data>/tmp               what may vanish; emptied at start
/// <data>/entrepot.sock     where commands speak to the server; mode 0600
/// <data>/entrepot.lock     locked while open; says which process has it
final class DataFolder: Sendable {
    let path: String
    /// What the operator should know of the folder's modes.
    let notices: [String]
    private let lock: CInt

    var database: String { self.path + "/entrepot.sqlite" }
    var reserve: String { self.path + "/reserve" }
    var socket: String { Self.socket(in: self.path) }

    static func socket(in path: String) -> String { path + "/entrepot.sock" }

    /// What to do where there is no folder yet.
    enum Absence { case make, fail }

    /// Locks the folder until this object goes.
    /// - Throws: `CommandFailure` where it is not there and cannot be made, other users may change it, or another process has it.
    init(_ path: String, absent: Absence) throws {
        self.path = path
        try Self.provide(path, absent)
        self.notices = try FolderModes(path).notices
        let lockPath = path + "/entrepot.lock"
        self.lock = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard self.lock >= 0 else { throw CommandFailure("cannot open \(lockPath): \(Self.reason())") }
        guard flock(self.lock, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Self.holder(of: path).map { " with PID \($0)" } ?? ""
            close(self.lock)
            throw CommandFailure("the data folder \(path) is in use by another entrepot\(holder); stop it first, or choose another folder with --data")
        }
        try self.writePID()
        try self.emptyTemporaryFolder()
    }

    deinit { close(self.lock) }

    private static func provide(_ path: String, _ absent: Absence) throws {
        switch absent {
        case .make:
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw CommandFailure("cannot make the data folder \(path): \(Self.reason())") }
            // What a Unix socket's address holds, less what its name is while it is being bound.
            guard Self.socket(in: path).utf8.count <= 104 else {
                throw CommandFailure("the data folder's path is too long for the socket in it: at most 90 bytes, and \(path) has \(path.utf8.count)")
            }
        case .fail:
            // Where a path is mistyped, a new and empty folder would answer every question wrongly.
            guard FileManager.default.fileExists(atPath: path + "/entrepot.sqlite") else {
                throw CommandFailure("there is no data at \(path): name the data folder with --data")
            }
        }
    }

    /// The first administrator's, until it is changed.
    var firstPassword: String { self.path + "/admin-password" }
    var audit: String { self.path + "/audit" }

    /// What may vanish: emptied at start.
    var temporary: String { self.path + "/tmp" }

    /// What the lock file says, whether or not that process still runs.
    static func holder(of path: String) -> Int32? {
        guard let bytes = FileManager.default.contents(atPath: path + "/entrepot.lock"), let text = String(data: bytes, encoding: .utf8) else { return nil }
        return Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    private func writePID() throws {
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(self.lock, 0) == 0, pwrite(self.lock, text, text.count, 0) == text.count else {
            throw CommandFailure("cannot write to \(self.path)/entrepot.lock: \(Self.reason())")
        }
    }

    private func emptyTemporaryFolder() throws {
        let temporary = self.path + "/tmp"
        if FileManager.default.fileExists(atPath: temporary) { try FileManager.default.removeItem(atPath: temporary) }
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: false)
    }

    private static func reason() -> String { String(cString: strerror(errno)) }
}
