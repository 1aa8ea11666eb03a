import Glibc

/// The process' memory, as the kernel tells it.
enum ProcessMemory {
    /// Resident, in bytes; nil where `/proc` does not say. Reading it waits for no disk.
    static func resident() -> Int64? {
        let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let words = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
        return words.count > 1 ? Int64(words[1]).map { $0 * Int64(sysconf(CInt(_SC_PAGESIZE))) } : nil
    }
}
