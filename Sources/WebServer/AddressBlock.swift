public import ArtifactModel

/// Addresses that share a prefix: `10.0.0.0/8`, `fd00::/8`, a single address, or `unix` for peers at a Unix socket.
public struct AddressBlock: Hashable, Sendable {
    private let bytes: [UInt8]
    private let bits: Int

    public init(_ text: String) throws(InvalidName) {
        if text == "unix" {
            self.bytes = []
            self.bits = 0
            return
        }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let invalid = InvalidName(kind: "address block", text: text, rule: "an IP address, with /bits where it is a block, such as 10.0.0.0/8, or «unix»")
        guard let address = NetworkAddress(String(parts[0])) else { throw invalid }
        self.bytes = address.bytes
        guard parts.count == 2 else {
            self.bits = address.bytes.count * 8
            return
        }
        guard let bits = Int(parts[1]), (0...address.bytes.count * 8).contains(bits) else { throw invalid }
        self.bits = bits
    }

    func contains(_ address: NetworkAddress) -> Bool {
        guard self.bytes.count == address.bytes.count else { return false }
        let whole = self.bits / 8
        guard self.bytes[..<whole] == address.bytes[..<whole] else { return false }
        guard self.bits % 8 > 0 else { return true }
        return (self.bytes[whole] ^ address.bytes[whole]) >> UInt8(8 - self.bits % 8) == 0
    }
}

/// An IPv4 or IPv6 address; of none of them at a Unix socket.
struct NetworkAddress: Hashable, Sendable {
    /// 4, 16 or none.
    let bytes: [UInt8]

    static let unix = NetworkAddress(bytes: [])
    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Reads `192.0.2.1` and `2001:db8::1`; an IPv4 address in IPv6's clothes is taken as what it is.
    init?(_ text: String) {
        guard let address = IPAddress(text) else { return nil }
        self.bytes = address.bytes
    }
}
