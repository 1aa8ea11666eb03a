import ArtifactModel

/// Whom an address stands for: an IPv4 address, or the 64 bits of an IPv6 network, as who has one of those has them all.
enum ClientKey: Hashable, Sendable {
    case four(UInt32)
    case six(UInt64)
    /// What a proxy calls a client that it does not tell, `unknown` or `_hidden`: all of one name are one.
    case named(String)

    init(_ client: String) {
        guard let address = IPAddress(client) else {
            self = .named(client)
            return
        }
        let prefix = address.bytes.prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        self = address.bytes.count == 4 ? .four(UInt32(truncatingIfNeeded: prefix)) : .six(prefix)
    }
}
