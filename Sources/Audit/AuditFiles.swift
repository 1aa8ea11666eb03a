#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the trail asks of the file system, all within its folder, so that tests can have any of it fail. Every call blocks: the trail's own
/// thread and blocking pools make them.
protocol AuditFiles: Sendable {
    /// Makes the folder where there is none.
    func prepare() throws(AuditError)
    /// In no order; empty where there is no folder.
    func names() throws(AuditError) -> [String]
    /// - Returns: nil: there is no such file, and it was not to be made.
    func open(_ name: String, for use: AuditFileUse) throws(AuditError) -> OpenedAuditFile?
    /// Whether this is still the file of that name, and was not moved, removed or replaced since it was opened.
    func isOpen(_ file: CInt, as name: String) throws(AuditError) -> Bool
    /// - Returns: how many bytes were read; 0: the file ends there.
    func read(_ file: CInt, at offset: Int64, into bytes: UnsafeMutableRawBufferPointer) throws(AuditError) -> Int
    /// At the file's end.
    /// - Returns: how many bytes were written, at least one.
    func write(_ file: CInt, _ bytes: UnsafeRawBufferPointer) throws(AuditError) -> Int
    func truncate(_ file: CInt, to length: Int64) throws(AuditError)
    func sync(_ file: CInt) throws(AuditError)
    /// Makes the names durable.
    func syncFolder() throws(AuditError)
    func remove(_ name: String) throws(AuditError)
    func close(_ file: CInt)
}

enum AuditFileUse: Hashable, Sendable { case reading, appending, making }

struct OpenedAuditFile: Sendable {
    var file: CInt
    /// When it was opened, in bytes.
    var length: Int64
}

/// The real ones. The folder has mode 0700 and its files 0600.
struct SystemAuditFiles: AuditFiles {
    let folder: String

    func prepare() throws(AuditError) {
        guard mkdir(self.folder, 0o700) != 0, errno != EEXIST else { return }
        throw Self.error("making \(self.folder)")
    }

    func names() throws(AuditError) -> [String] {
        guard let folder = opendir(self.folder) else {
            if errno == ENOENT { return [] }
            throw Self.error("listing \(self.folder)")
        }
        defer { closedir(folder) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(folder) {
            names.append(withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
            errno = 0
        }
        guard errno == 0 else { throw Self.error("listing \(self.folder)") }
        return names
    }

    func open(_ name: String, for use: AuditFileUse) throws(AuditError) -> OpenedAuditFile? {
        // Appending is left to the system, so that an operator may have it forbid everything else (`chattr +a`).
        let flags =
            switch use {
            case .reading: O_RDONLY
            case .appending: O_RDWR | O_APPEND
            case .making: O_RDWR | O_APPEND | O_CREAT
            }
        let file = try self.retried("opening \(name)") { systemOpen("\(self.folder)/\(name)", flags | O_CLOEXEC | O_NOFOLLOW, 0o600) }
        guard file >= 0 else { return nil }
        var status = stat()
        guard fstat(file, &status) == 0 else {
            let error = Self.error("looking at \(name)")
            self.close(file)
            throw error
        }
        return OpenedAuditFile(file: file, length: Int64(status.st_size))
    }

    func isOpen(_ file: CInt, as name: String) throws(AuditError) -> Bool {
        var (own, named) = (stat(), stat())
        guard fstat(file, &own) == 0 else { throw Self.error("looking at a segment") }
        guard lstat("\(self.folder)/\(name)", &named) == 0 else {
            if errno == ENOENT { return false }
            throw Self.error("looking at \(name)")
        }
        return own.st_dev == named.st_dev && own.st_ino == named.st_ino
    }

    func read(_ file: CInt, at offset: Int64, into bytes: UnsafeMutableRawBufferPointer) throws(AuditError) -> Int {
        try self.retried("reading a segment") { pread(file, bytes.baseAddress, bytes.count, off_t(offset)) }
    }

    func write(_ file: CInt, _ bytes: UnsafeRawBufferPointer) throws(AuditError) -> Int {
        let count = try self.retried("writing a segment") { systemWrite(file, bytes.baseAddress, bytes.count) }
        guard count > 0 else { throw AuditError(.io, "nothing was written", cause: "write took no byte") }
        return count
    }

    func truncate(_ file: CInt, to length: Int64) throws(AuditError) {
        _ = try self.retried("cutting a segment") { Int(ftruncate(file, off_t(length))) }
    }

    // The length is synced with the data; the time of change is not needed.
    func sync(_ file: CInt) throws(AuditError) { _ = try self.retried("syncing a segment") { Int(fdatasync(file)) } }

    func syncFolder() throws(AuditError) {
        let file = try self.retried("opening \(self.folder)") { systemOpen(self.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
        guard file >= 0 else { throw AuditError(.io, "its folder is gone", cause: self.folder) }
        defer { self.close(file) }
        _ = try self.retried("syncing \(self.folder)") { Int(fsync(file)) }
    }

    func remove(_ name: String) throws(AuditError) {
        guard unlink("\(self.folder)/\(name)") != 0, errno != ENOENT else { return }
        throw Self.error("removing \(name)")
    }

    func close(_ file: CInt) { _ = systemClose(file) }

    /// - Returns: -1 where there is no such file.
    private func retried<Number: SignedInteger>(_ doing: String, _ call: () -> Number) throws(AuditError) -> Number {
        while true {
            let result = call()
            if result >= 0 || errno == ENOENT { return result }
            guard errno == EINTR else { throw Self.error(doing) }
        }
    }

    /// From `errno`.
    private static func error(_ doing: String) -> AuditError {
        let number = errno
        let text = String(cString: strerror(number))
        return AuditError(number == ENOSPC || number == EDQUOT ? .noSpace : .io, text, cause: "\(doing): \(text)")
    }
}

// `open`, `write` and `close` would mean the methods above.
private func systemOpen(_ path: String, _ flags: CInt, _ mode: mode_t) -> CInt { open(path, flags, mode) }
private func systemWrite(_ file: CInt, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int { write(file, bytes, count) }
private func systemClose(_ file: CInt) -> CInt { close(file) }
