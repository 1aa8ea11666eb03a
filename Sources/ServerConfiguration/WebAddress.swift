public import ArtifactModel

/// An absolute `http` or `https` URL. Printing it leaves out what may be secret: user information and query.
public struct WebAddress: Hashable, Sendable, CustomStringConvertible {
    public enum Scheme: String, Hashable, Sendable { case http, https }

    public let scheme: Scheme
    /// In lower case; IPv6 without brackets.
    public let host: String
    /// nil: the scheme's own.
    public let port: Int?
    /// `user:password`, as written; nil where there is none.
    public let userInformation: String?
    /// Percent-encoded, with its leading slash and without one at its end; empty for the root.
    public let path: String
    /// As written, without its question mark.
    public let query: String?

    public init(_ text: String) throws(InvalidName) {
        // The text is not quoted in the error: it may hold a password.
        let wrong = InvalidName(kind: "URL", text: "", rule: "http://host[:port][/path] or https://…")
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }), !text.contains("#"), let colon = text.firstRange(of: "://"),
            let scheme = Scheme(rawValue: text[..<colon.lowerBound].lowercased())
        else { throw wrong }
        let rest = text[colon.upperBound...]
        let authorityEnd = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        var authority = rest[..<authorityEnd]
        if let at = authority.lastIndex(of: "@") {
            self.userInformation = String(authority[..<at])
            authority = authority[authority.index(after: at)...]
        } else {
            self.userInformation = nil
        }
        guard let (host, port) = Self.hostAndPort(authority) else { throw wrong }
        let tail = rest[authorityEnd...].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var path = tail.first.map(String.init) ?? ""
        while path.hasSuffix("/") { path.removeLast() }
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
        self.query = tail.count == 2 ? String(tail[1]) : nil
    }

    /// `https://host:port`, without a port that is the scheme's own.
    public var origin: String {
        let standard = self.scheme == .https ? 443 : 80
        let port = self.port.flatMap { $0 == standard ? nil : ":\($0)" } ?? ""
        return "\(self.scheme.rawValue)://\(self.host.contains(":") ? "[\(self.host)]" : self.host)\(port)"
    }

    public var description: String { self.origin + self.path }

    private static func hostAndPort(_ text: Substring) -> (String, Int?)? {
        var host = text
        var port: Int?
        if let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") {
            let digits = text[text.index(after: colon)...]
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits), (1...65535).contains(number) else { return nil }
            port = number
            host = text[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            guard let address = IPAddress(host.dropFirst().dropLast()) else { return nil }
            return (address.description, port)
        }
        guard IPAddress(host) != nil || HostName.isName(host), !host.contains(":") else { return nil }
        return (host.lowercased(), port)
    }
}
