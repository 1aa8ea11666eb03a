/// An IPv4 or IPv6 address, without zone. An IPv4 address in IPv6's clothes (`::ffff:192.0.2.1`) is the IPv4 address.
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// Four or sixteen, in network order.
    public let bytes: [UInt8]

    /// - Returns: nil where the text is no address.
    public init?(_ text: some StringProtocol) {
        if let bytes = Self.four(text) {
            self.bytes = bytes
        } else if let bytes = Self.sixteen(text) {
            let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            self.bytes = isMapped ? Array(bytes.suffix(4)) : bytes
        } else {
            return nil
        }
    }

    public var isLoopback: Bool { self.bytes.count == 4 ? self.bytes[0] == 127 : self.bytes.dropLast().allSatisfy { $0 == 0 } && self.bytes.last == 1 }
    /// `0.0.0.0` or `::`: every address of the machine.
    public var isUnspecified: Bool { self.bytes.allSatisfy { $0 == 0 } }

    public var description: String {
        guard self.bytes.count == 16 else { return self.bytes.map { String($0) }.joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(self.bytes[$0]) << 8 | UInt16(self.bytes[$0 + 1]) }
        guard let gap = Self.longestGap(groups) else { return Self.joined(groups[...]) }
        return Self.joined(groups[..<gap.lowerBound]) + "::" + Self.joined(groups[gap.upperBound...])
    }

    private static func joined(_ groups: ArraySlice<UInt16>) -> String { groups.map { String($0, radix: 16) }.joined(separator: ":") }

    /// RFC 5952, 4.2: the first longest run of at least two zero groups.
    private static func longestGap(_ groups: [UInt16]) -> Range<Int>? {
        var best: Range<Int>?
        var start = 0
        while start < groups.count {
            let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
            if end - start > max(1, best?.count ?? 0) { best = start..<end }
            start = max(end, start + 1)
        }
        return best
    }

    private static func four(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            // A leading zero is octal to some and decimal to others.
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), part.count == 1 || !part.hasPrefix("0"), let byte = UInt8(part) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func sixteen(_ text: some StringProtocol) -> [UInt8]? {
        let text = String(text)
        guard text.utf8.contains(UInt8(ascii: ":")), !text.contains(":::") else { return nil }
        guard let gap = text.firstRange(of: "::") else {
            guard let bytes = Self.groups(text[...]), bytes.count == 16 else { return nil }
            return bytes
        }
        guard let head = Self.groups(text[..<gap.lowerBound]), let tail = Self.groups(text[gap.upperBound...]), head.count + tail.count <= 14 else {
            return nil
        }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    /// Groups of hex digits between colons; the last may be an IPv4 address.
    private static func groups(_ text: Substring) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, let four = Self.four(part) {
                bytes += four
            } else {
                guard (1...4).contains(part.utf8.count), !part.hasPrefix("+"), !part.hasPrefix("-"), let group = UInt16(part, radix: 16) else { return nil }
                bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
            }
        }
        return bytes
    }
}

/// A network, as in `10.0.0.0/8`; a bare address is a network of one.
public struct CIDR: Hashable, Sendable, CustomStringConvertible {
    public let network: IPAddress
    /// In bits.
    public let prefix: Int

    public init(_ text: String) throws(InvalidName) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let wrong = InvalidName(kind: "network", text: text, rule: "an address with a prefix length whose other bits are 0, such as 10.0.0.0/8 or fd00::/8")
        guard let network = IPAddress(parts[0]) else { throw wrong }
        let bits = network.bytes.count * 8
        guard let prefix = parts.count == 2 ? Int(parts[1]) : bits, (0...bits).contains(prefix), parts.count == 1 || !parts[1].hasPrefix("+") else {
            throw wrong
        }
        guard Self.cut(network.bytes, to: prefix) == network.bytes else { throw wrong }
        self.network = network
        self.prefix = prefix
    }

    public func contains(_ address: IPAddress) -> Bool {
        address.bytes.count == self.network.bytes.count && Self.cut(address.bytes, to: self.prefix) == self.network.bytes
    }

    public var description: String { "\(self.network)/\(self.prefix)" }

    private static func cut(_ bytes: [UInt8], to prefix: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let kept = min(8, max(0, prefix - index * 8))
            return kept == 0 ? 0 : byte & (0xFF << UInt8(8 - kept))
        }
    }
}
