#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Who else on this machine could look into the data folder, or change it. What it holds decides who may do what: password hashes, keys,
/// everybody's artifacts.
struct FolderModes {
    /// Nothing that this process makes is anybody else's to read. For the start of the process: a mask belongs to all its threads.
    static func restrict() { umask(0o077) }

    /// What only this process' user may read, whatever an older version or a restored backup made of it.
    private static let secrets = ["entrepot.sqlite", "entrepot.sqlite-wal", "entrepot.sqlite-shm", "admin-password"]

    /// What was put right, and what the operator should.
    private(set) var notices: [String] = []

    /// - Throws: `CommandFailure` where another user could exchange what is in the folder.
    init(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { throw CommandFailure("cannot look at the data folder \(path): \(String(cString: strerror(errno)))") }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw CommandFailure("\(path) is no folder: name the data folder with --data") }
        let own = geteuid()
        guard status.st_uid == own || status.st_uid == 0 else {
            throw CommandFailure(
                "the data folder \(path) belongs to user \(status.st_uid), who could exchange what is in it, and this process runs as user \(own): "
                    + "run it as user \(status.st_uid), or hand the folder over with «chown -R \(own) \(path)»")
        }
        guard status.st_mode & 0o022 == 0 else {
            throw CommandFailure("other users may write to the data folder \(path): run «chmod go-w \(path)», and look at what is in it")
        }
        if status.st_mode & 0o007 != 0 { self.notices.append("other users may look into the data folder: run «chmod o= \(path)»") }
        for name in Self.secrets where try Self.tighten(path + "/" + name) { self.notices.append("\(name) was open to other users, and is 0600 now") }
    }

    /// - Returns: whether there was something to do.
    private static func tighten(_ path: String) throws -> Bool {
        // By descriptor, so that what is looked at is what is changed.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            guard errno != ENOENT else { return false }
            throw CommandFailure("cannot open \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & 0o077 != 0 else { return false }
        guard fchmod(descriptor, 0o600) == 0 else {
            throw CommandFailure("other users may read \(path), and it cannot be changed (\(String(cString: strerror(errno)))): run «chmod 600 \(path)»")
        }
        return true
    }
}
