import ArtifactModel

/// Who is held to be one client: an IPv4 address, or a /64 of IPv6, which is what one household or machine is given.
struct ClientBlock: Hashable, Sendable {
    private let bytes: [UInt8]

    /// - Parameter client: an address; any other text, such as `unix`, stands for itself.
    init(_ client: String) {
        if let address = IPAddress(client) {
            self.bytes = address.bytes.count == 16 ? Array(address.bytes.prefix(8)) : address.bytes
        } else {
            self.bytes = [0] + Array(client.utf8.prefix(64))
        }
    }
}
