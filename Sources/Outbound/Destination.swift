public import ArtifactModel

/// Scheme, host and port: who is spoken to.
public struct WebOrigin: Hashable, Sendable, CustomStringConvertible {
    public enum Scheme: String, Hashable, Sendable { case http, https }
    public let scheme: Scheme
    /// In lower case; IPv6 without brackets.
    public let host: String
    public let port: Int

    public init(scheme: Scheme, host: String, port: Int) {
        self.scheme = scheme
        self.host = host
        self.port = port
    }

    /// Without a port that is the scheme's own.
    public var description: String {
        let name = self.host.contains(":") ? "[\(self.host)]" : self.host
        return self.port == (self.scheme == .https ? 443 : 80) ? "\(self.scheme.rawValue)://\(name)" : "\(self.scheme.rawValue)://\(name):\(self.port)"
    }
}

/// A URL that can be asked: `http` or `https`, without user and fragment. RFC 3986.
public struct Destination: Hashable, Sendable, CustomStringConvertible {
    public let origin: WebOrigin
    /// With its leading slash, percent-encoded.
    public let path: String
    /// With its question mark; empty: none.
    public let query: String

    public init(_ origin: WebOrigin, path: String, query: String = "") {
        self.origin = origin
        self.path = path
        self.query = query
    }

    /// - Throws: without quoting the text, which may hold a secret.
    public init(_ text: String) throws(InvalidName) {
        guard let colon = text.firstRange(of: "://"), let scheme = WebOrigin.Scheme(rawValue: text[..<colon.lowerBound].lowercased()) else {
            throw Self.wrong
        }
        let rest = text[colon.upperBound...].prefix { $0 != "#" }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard let (host, port) = Self.authority(rest[..<end]) else { throw Self.wrong }
        let origin = WebOrigin(scheme: scheme, host: host, port: port ?? (scheme == .https ? 443 : 80))
        self = try Self(origin, target: rest[end...])
    }

    private init(_ origin: WebOrigin, target: Substring) throws(InvalidName) {
        guard target.utf8.count <= 16 << 10, target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !Self.forbidden.contains($0) }) else { throw Self.wrong }
        let mark = target.firstIndex(of: "?") ?? target.endIndex
        self.origin = origin
        self.path = target[..<mark].isEmpty ? "/" : String(target[..<mark])
        self.query = String(target[mark...])
    }

    /// What a `Location` of an answer from here means: absolute, of the same scheme, from the root, or relative to the path.
    public func resolving(_ reference: String) throws(InvalidName) -> Destination {
        let reference = reference.prefix { $0 != "#" }
        if reference.hasPrefix("//") { return try Destination("\(self.origin.scheme.rawValue):\(reference)") }
        if reference.hasPrefix("/") { return try Destination(self.origin, target: Self.withoutDots(reference)) }
        if reference.hasPrefix("?") { return try Destination(self.origin, target: self.path + reference) }
        // A colon before the first slash and question mark ends a scheme.
        let first = reference.prefix { $0 != "/" && $0 != "?" }
        if first.contains(":") { return try Destination(String(reference)) }
        guard !reference.isEmpty else { throw Self.wrong }
        let folder = self.path[...(self.path.lastIndex(of: "/") ?? self.path.startIndex)]
        return try Destination(self.origin, target: Self.withoutDots(folder + reference))
    }

    public var text: String { "\(self.origin)\(self.path)\(self.query)" }
    /// Without the query, which may be secret.
    public var description: String { "\(self.origin)\(self.path)" }

    private static let wrong = InvalidName(kind: "URL", text: "", rule: "http://host[:port]/path or https://…, without a user")
    private static let forbidden: [UInt8] = Array("\"<>\\^`{|}".utf8)

    /// RFC 3986, 5.2.4.
    private static func withoutDots(_ target: some StringProtocol) -> Substring {
        let mark = target.firstIndex(of: "?") ?? target.endIndex
        var out: [Substring] = []
        let parts = target[..<mark].split(separator: "/", omittingEmptySubsequences: false).map { Substring($0) }
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            switch part {
            case ".": if isLast { out.append("") }
            case "..":
                if out.count > 1 { out.removeLast() }
                if isLast { out.append("") }
            default: out.append(part)
            }
        }
        return Substring(out.joined(separator: "/") + target[mark...])
    }

    private static func authority(_ text: Substring) -> (String, Int?)? {
        var host = text
        var port: Int?
        if let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") {
            let digits = text[text.index(after: colon)...]
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits), (1...65535).contains(number) else { return nil }
            port = number
            host = text[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            guard host.contains(":"), let address = IPAddress(host.dropFirst().dropLast()) else { return nil }
            return (address.description, port)
        }
        let isName = host.utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") }
        guard isName, (1...253).contains(host.utf8.count), !host.hasPrefix("."), !host.contains("..") else { return nil }
        return (host.lowercased(), port)
    }
}
