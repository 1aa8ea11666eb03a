public import ArtifactModel

/// Says which addresses may be connected to on the word of somebody else's document: those of the public Internet, and what the
/// operator allows. Pure.
public struct AddressGuard: Hashable, Sendable {
    /// What the operator allows beside.
    public let allowed: [CIDR]

    public init(allowed: [CIDR]) { self.allowed = allowed }

    public func permits(_ address: IPAddress) -> Bool {
        if self.allowed.contains(where: { $0.contains(address) }) { return true }
        guard let inner = Self.embedded(address) else { return !Self.isSpecial(address) }
        // The outer address is a way to the inner one, which decides.
        return self.allowed.contains { $0.contains(inner) } || !Self.isSpecial(inner)
    }

    /// Not globally reachable: IANA's registries of special-purpose addresses (RFC 6890), multicast and what is reserved.
    static func isSpecial(_ address: IPAddress) -> Bool {
        let blocks = address.bytes.count == 4 ? Self.four : Self.six
        // Of IPv6 only 2000::/3 is given out at all.
        if address.bytes.count == 16, address.bytes[0] & 0xE0 != 0x20 { return true }
        return blocks.contains { block in
            let whole = block.bits / 8
            guard address.bytes[..<whole] == block.bytes[..<whole] else { return false }
            return block.bits % 8 == 0 || (address.bytes[whole] ^ block.bytes[whole]) >> UInt8(8 - block.bits % 8) == 0
        }
    }

    /// The IPv4 address that an IPv6 address leads to: mapped and compatible (RFC 4291), NAT64 (RFC 6052, 8215), 6to4 (RFC 3056),
    /// ISATAP (RFC 5214).
    static func embedded(_ address: IPAddress) -> IPAddress? {
        let bytes = address.bytes
        guard bytes.count == 16 else { return nil }
        let isCompatible = bytes[..<12].allSatisfy { $0 == 0 } && bytes[12...].contains { $0 > 1 }
        let isNAT64 = bytes[..<4] == [0, 0x64, 0xFF, 0x9B] && (bytes[4..<12].allSatisfy { $0 == 0 } || bytes[4..<6] == [0, 1])
        let isTranslated = bytes[..<8].allSatisfy { $0 == 0 } && bytes[8..<12] == [0xFF, 0xFF, 0, 0]
        let isISATAP = bytes[8] & 0xFD == 0 && bytes[9..<12] == [0, 0x5E, 0xFE]
        let inner: ArraySlice<UInt8>? =
            if isCompatible || isNAT64 || isTranslated || isISATAP { bytes[12...] } else if bytes[..<2] == [0x20, 0x02] { bytes[2..<6] } else { nil }
        return inner.flatMap { IPAddress($0.map { String($0) }.joined(separator: ".")) }
    }

    private struct Block: Sendable {
        let bytes: [UInt8]
        let bits: Int
    }

    private static let four: [Block] = [
        Block(bytes: [0], bits: 8),  // this network, unspecified
        Block(bytes: [10], bits: 8),  // private
        Block(bytes: [100, 64], bits: 10),  // carriers' NAT; metadata services of some clouds
        Block(bytes: [127], bits: 8),  // loopback
        Block(bytes: [169, 254], bits: 16),  // link-local: metadata services
        Block(bytes: [172, 16], bits: 12),  // private
        Block(bytes: [192, 0, 0], bits: 24),  // protocol assignments
        Block(bytes: [192, 0, 2], bits: 24),  // documentation
        Block(bytes: [192, 88, 99], bits: 24),  // 6to4 relays
        Block(bytes: [192, 168], bits: 16),  // private
        Block(bytes: [198, 18], bits: 15),  // benchmarking
        Block(bytes: [198, 51, 100], bits: 24),  // documentation
        Block(bytes: [203, 0, 113], bits: 24),  // documentation
        Block(bytes: [224], bits: 4),  // multicast
        Block(bytes: [240], bits: 4),  // reserved, broadcast
    ]

    private static let six: [Block] = [
        Block(bytes: [0x20, 0x01, 0x00, 0x00], bits: 23),  // protocol assignments, Teredo, benchmarking, ORCHID
        Block(bytes: [0x20, 0x01, 0x0D, 0xB8], bits: 32),  // documentation
        Block(bytes: [0x3F, 0xFF, 0x00], bits: 20),  // documentation
    ]
}
