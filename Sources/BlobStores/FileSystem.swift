import ArtifactModel
import NIOCore
import StorageAPI

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The system calls of the file store. All block: they run on the pool.
enum FileSystem {
    struct Entry {
        var size: Int64
        var modified: Timestamp
    }

    /// nil: there is no such file.
    static func open(_ path: String, _ flags: CInt, mode: mode_t = 0) throws(BlobStoreError) -> CInt? {
        while true {
            let descriptor = systemOpen(path, flags | O_CLOEXEC | O_NOFOLLOW, mode)
            if descriptor >= 0 { return descriptor }
            if errno == ENOENT { return nil }
            guard errno == EINTR else { throw Self.error("opening \(path)") }
        }
    }

    static func close(_ descriptor: CInt) { _ = systemClose(descriptor) }

    static func size(_ descriptor: CInt) throws(BlobStoreError) -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.error("looking at an open file") }
        return Int64(status.st_size)
    }

    /// nil: there is no such file.
    static func entry(_ path: String) throws(BlobStoreError) -> Entry? {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw Self.error("looking at \(path)")
        }
        let modified = Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
        return Entry(size: Int64(status.st_size), modified: Timestamp(milliseconds: modified))
    }

    static func truncate(_ descriptor: CInt, to length: Int64) throws(BlobStoreError) {
        try Self.retrying("cutting an upload") { ftruncate(descriptor, off_t(length)) }
    }

    static func makeReadOnly(_ descriptor: CInt) throws(BlobStoreError) { try Self.retrying("protecting a blob") { fchmod(descriptor, 0o444) } }

    static func sync(_ descriptor: CInt) throws(BlobStoreError) { try Self.retrying("syncing a file") { fsync(descriptor) } }

    static func syncFolder(_ path: String) throws(BlobStoreError) {
        guard let descriptor = try Self.open(path, O_RDONLY | O_DIRECTORY) else { throw BlobStoreError(.io, "the folder \(path) is gone") }
        defer { Self.close(descriptor) }
        try Self.sync(descriptor)
    }

    /// false: the source, or the target's folder, is not there.
    static func rename(_ from: String, to target: String) throws(BlobStoreError) -> Bool {
        guard systemRename(from, target) != 0 else { return true }
        if errno == ENOENT { return false }
        throw Self.error("renaming to \(target)")
    }

    static func makeFolder(_ path: String) throws(BlobStoreError) {
        guard mkdir(path, 0o755) != 0, errno != EEXIST else { return }
        throw Self.error("making the folder \(path)")
    }

    static func remove(_ path: String) throws(BlobStoreError) {
        guard unlink(path) != 0, errno != ENOENT else { return }
        throw Self.error("removing \(path)")
    }

    /// Names in a folder, in byte order, without those that begin with a dot; empty where there is no such folder.
    static func names(in path: String) throws(BlobStoreError) -> [String] {
        guard let folder = opendir(path) else {
            if errno == ENOENT { return [] }
            throw Self.error("listing \(path)")
        }
        defer { closedir(folder) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if !name.hasPrefix(".") { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw Self.error("listing \(path)") }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Of the file system that the path is on.
    static func space(_ path: String) throws(BlobStoreError) -> StoreSpace {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw Self.error("asking for free space") }
        let bytes = { (blocks: UInt64) in Int64(clamping: blocks.multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue) }
        return StoreSpace(free: bytes(UInt64(status.f_bavail)), total: bytes(UInt64(status.f_blocks)))
    }

    private static func retrying(_ doing: String, _ call: () -> CInt) throws(BlobStoreError) {
        while call() != 0 {
            guard errno == EINTR else { throw Self.error(doing) }
        }
    }

    /// From `errno`.
    static func error(_ doing: String) -> BlobStoreError {
        let number = errno
        let code: BlobStoreError.Code =
            switch number {
            case ENOSPC, EDQUOT: .noSpace
            case EMFILE, ENFILE, ENOMEM: .unavailable
            default: .io
            }
        return BlobStoreError(code, "\(doing): \(String(cString: strerror(number)))")
    }
}

// `open`, `close` and `rename` would mean the functions of the enum above.
private func systemOpen(_ path: String, _ flags: CInt, _ mode: mode_t) -> CInt { open(path, flags, mode) }
private func systemClose(_ descriptor: CInt) -> CInt { close(descriptor) }
private func systemRename(_ from: String, _ target: String) -> CInt { rename(from, target) }
