import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The folder that holds everything, opened by one process at a time.
///
/// <data>/entrepot.sqlite   all metadata, with -wal and -shm beside it
/// <data>/blobs             bytes, of the blob store whose path this is
/// <data>/tmp               what may vanish; emptied at start
/// <data>/entrepot.sock     where commands speak to the server; mode 0600
/// <data>/entrepot.lock     locked while open; says which process has it
final class DataFolder: Sendable {
    let path: String
    private let lock: CInt

    var database: String { self.path + "/entrepot.sqlite" }
    var socket: String { Self.socket(in: self.path) }

    static func socket(in path: String) -> String { path + "/entrepot.sock" }

    /// Makes the folder if need be, and locks it until this object goes.
    /// - Throws: `CommandFailure` where it cannot be made or another process has it.
    init(_ path: String) throws {
        self.path = path
        let made = mkdir(path, 0o700)
        guard made == 0 || errno == EEXIST else { throw CommandFailure("cannot make the data folder \(path): \(Self.reason())") }
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
