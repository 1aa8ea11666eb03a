import ArtifactModel
import Foundation
import StorageAPI
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `<data>/reserve`: a file of nothing, beside the database, removed when a delete needs its space. 16 MiB, or a thirty-second of a small
/// file system: what the log of some transactions takes, and less than the floor that bodies stop at, so that no push is let into it.
final class ReserveFile: SpaceReserve {
    private let path: String
    /// One of the two at a time.
    private let turn = Mutex(())

    init(_ path: String) { self.path = path }

    func release() -> Bool { self.turn.withLock { _ in unlink(self.path) == 0 } }

    func provide() -> Bool {
        self.turn.withLock { _ in
            guard let size = self.size() else { return false }
            var status = stat()
            if stat(self.path, &status) == 0, status.st_size == size, Int64(status.st_blocks) * 512 >= size { return true }
            // As much again stays free: making the reserve must not be what fills the disk.
            guard let free = self.space()?.free, free >= 2 * size else { return false }
            return self.allocate(size)
        }
    }

    /// Where not even a row could be written, the start itself needs the space.
    func releaseIfFull() {
        if let space = self.space(), space.free < 1 << 20 { _ = self.release() }
    }

    private func allocate(_ size: Int64) -> Bool {
        let descriptor = open(self.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        guard posix_fallocate(descriptor, 0, off_t(size)) == 0 else {
            unlink(self.path)
            return false
        }
        return true
    }

    private func size() -> Int64? { self.space().map { min(16 << 20, $0.total / 32) } }

    private func space() -> StoreSpace? {
        var status = statvfs()
        let folder = String(self.path.prefix(upTo: self.path.lastIndex(of: "/") ?? self.path.startIndex))
        guard statvfs(folder, &status) == 0 else { return nil }
        let block = Int64(clamping: UInt64(status.f_frsize))
        return StoreSpace(free: Int64(clamping: UInt64(status.f_bavail)) * block, total: Int64(clamping: UInt64(status.f_blocks)) * block)
    }
}
