public import ArtifactModel

/// Where a listener binds: `127.0.0.1:8081`, `[::1]:8081`, `host.example.com:8081`, or `:5001`, which is loopback.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// An IP address without brackets, or a name.
    public let host: String
    /// 0: the system chooses.
    public let port: Int

    public init(_ text: String) throws(InvalidName) {
        let wrong = InvalidName(kind: "listen address", text: text, rule: "host:port, [IPv6]:port, or :port for loopback")
        guard let colon = text.lastIndex(of: ":") else { throw wrong }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits), port <= 65535 else { throw wrong }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":"), let address = IPAddress(host) else { throw wrong }
            host = address.description
        } else if host.isEmpty {
            host = "127.0.0.1"
        } else {
            guard !host.contains(":"), IPAddress(host) != nil || HostName.isName(host[...]) else { throw wrong }
        }
        self.host = host
        self.port = port
    }

    public var address: IPAddress? { IPAddress(self.host) }

    /// Only this machine can connect. A name other than `localhost` is never taken for loopback: it may lead anywhere tomorrow.
    public var isLoopback: Bool { self.address.map(\.isLoopback) ?? (self.host == "localhost") }

    public var description: String { self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)" }

    /// Whether the second of the two could not bind.
    func collides(with other: ListenAddress) -> Bool {
        guard self.port == other.port, self.port != 0 else { return false }
        let (a, b) = (self.canonicalHost, other.canonicalHost)
        guard a != b else { return true }
        guard let a = IPAddress(a), let b = IPAddress(b) else { return false }
        return (a.isUnspecified || b.isUnspecified) && a.bytes.count == b.bytes.count
    }

    private var canonicalHost: String { self.host == "localhost" ? "127.0.0.1" : self.host.lowercased() }
}

/// A host as in the `Host` header, in lower case, without port.
public struct HostName: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) throws(InvalidName) {
        guard Self.isName(text[...]) || IPAddress(text) != nil else {
            throw InvalidName(kind: "host", text: text, rule: "a host name or an address, without scheme and port")
        }
        self.text = text.lowercased()
    }

    public var description: String { self.text }

    /// RFC 1123 labels; a name of digits and dots alone would be an address, and is none.
    static func isName(_ text: Substring) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...253).contains(text.utf8.count), labels.last?.utf8.allSatisfy({ (0x30...0x39).contains($0) }) != true else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        }
    }
}
