import ArtifactModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where the first administrator's password is, for the operator alone, until it is changed.
struct FirstPasswordFile: Sendable {
    let path: String
    let pool: any BlockingPool

    /// On disk, and its name too, when it returns. One that a start left behind which died before it made the account is replaced.
    /// - Throws: `AdministrationFailure` with the path: it is the operator's own machine.
    func write(_ password: String) async throws(AdministrationFailure) {
        let path = self.path
        do {
            try await self.pool.run {
                unlink(path)
                let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
                guard descriptor >= 0 else { throw SystemFailure() }
                defer { close(descriptor) }
                let bytes = Array((password + "\n").utf8)
                guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else { throw SystemFailure() }
                try Self.syncFolder(of: path)
            }
        } catch {
            throw AdministrationFailure(.unavailable, "cannot write the first password to \(path): \(error)", cause: error)
        }
    }

    /// Best effort: what is in it has no use any more.
    func remove() async {
        let path = self.path
        do { try await self.pool.run { _ = unlink(path) } } catch { return }
    }

    private static func syncFolder(of path: String) throws {
        let folder = open(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw SystemFailure() }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw SystemFailure() }
    }

    /// What the system said last on this thread.
    private struct SystemFailure: Error, CustomStringConvertible {
        let description = String(cString: strerror(errno))
    }
}
