import Logging
import WebServer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How many descriptors the process may have. Where connections could take them all, accepting would fail again and again, and no file
/// could be opened for those who are connected.
struct DescriptorLimit {
    /// For the database, logs, loops, and files that are open while nobody is connected.
    private static let reserve = 64
    private let limit: Int

    /// Raises the soft limit to the hard one, as nobody here uses select(2).
    static func raise() -> DescriptorLimit {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return DescriptorLimit(limit: 1024) }
        let soft = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        // Where it may not be raised, what there was remains.
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return DescriptorLimit(limit: Int(clamping: soft)) }
        return DescriptorLimit(limit: Int(clamping: limit.rlim_max))
    }

    /// A connection takes one descriptor, and another while it reads or writes a file.
    func bound(_ configuration: inout WebServerConfiguration, _ logger: Logger) {
        configuration.limits.readyFiles = min(configuration.limits.readyFiles, self.limit / 16)
        let most = max(4, (self.limit - Self.reserve - configuration.limits.readyFiles) / 2 / max(1, configuration.listeners.count))
        guard configuration.limits.connections > most else { return }
        logger.notice(
            "fewer connections than server.limits.connections, for want of descriptors: raise the limit of open files",
            metadata: ["connections": "\(most)", "descriptors": "\(self.limit)"])
        configuration.limits.connections = most
    }
}
