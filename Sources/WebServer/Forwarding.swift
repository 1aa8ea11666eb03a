import HTTPTypes

/// What proxies say of a request, as far as they are trusted.
struct Forwarding: Hashable {
    /// Who sent the request to the outermost proxy that is trusted; the peer itself where none is.
    var client: String
    var scheme: String?
    var host: String?

    /// Walks from the peer towards the client and stops at the first hop that is not trusted: what lies beyond it is its own tale.
    ///
    /// `Forwarded` (RFC 7239) counts only where there is no `X-Forwarded-*`: a proxy that writes one of the two passes the other on
    /// as the client wrote it, and nearly all write the latter.
    init(peer: String, trusted: (String) -> Bool, headers: HTTPFields) {
        self.client = peer
        guard trusted(peer) else { return }
        var hops = Self.hops(headers)
        while let hop = hops.popLast() {
            if let scheme = hop.scheme { self.scheme = scheme }
            if let host = hop.host { self.host = host }
            guard let name = hop.name else { return }
            self.client = name
            guard trusted(name) else { return }
        }
    }

    private struct Hop {
        var name: String?
        var scheme: String?
        var host: String?
    }

    private static func hops(_ headers: HTTPFields) -> [Hop] {
        let names = Self.list(headers, .xForwardedFor)
        let schemes = Self.list(headers, .xForwardedProto)
        let hosts = Self.list(headers, .xForwardedHost)
        let count = max(names.count, schemes.isEmpty && hosts.isEmpty ? 0 : 1)
        guard count > 0 else { return headers[values: .forwarded].flatMap { $0.split(separator: ",") }.map(Self.hop) }
        return (0..<count).map { index in
            Hop(
                name: index < names.count ? Self.address(names[index]) : nil, scheme: Self.pick(schemes, index, of: count).flatMap(Self.scheme),
                host: Self.pick(hosts, index, of: count))
        }
    }

    /// The value that goes with a hop: its own where there is one for each, else the last, which our peer wrote, for the last.
    private static func pick(_ values: [String], _ index: Int, of count: Int) -> String? {
        if values.count == count { return values[index] }
        return index == count - 1 ? values.last : nil
    }

    private static func list(_ headers: HTTPFields, _ name: HTTPField.Name) -> [String] {
        headers[values: name].flatMap { $0.split(separator: ",") }.map { String($0.trimmedSpace) }.filter { !$0.isEmpty }
    }

    /// One element of `Forwarded`: `for="[2001:db8::1]:4711";proto=https;host=example.com`.
    private static func hop(_ element: Substring) -> Hop {
        var hop = Hop()
        for pair in element.split(separator: ";") {
            let sides = pair.split(separator: "=", maxSplits: 1).map(\.trimmedSpace)
            guard sides.count == 2 else { continue }
            let value = String(sides[1].hasPrefix("\"") && sides[1].hasSuffix("\"") && sides[1].count >= 2 ? sides[1].dropFirst().dropLast() : sides[1])
            switch sides[0].lowercased() {
            case "for": hop.name = Self.address(value)
            case "proto": hop.scheme = Self.scheme(value)
            case "host": hop.host = value
            default: break
            }
        }
        return hop
    }

    private static func scheme(_ text: String) -> String? {
        let text = text.lowercased()
        return text == "http" || text == "https" ? text : nil
    }

    /// Without port and brackets; what is no address (`unknown`, `_hidden`) stays as it is, cut short, and is never trusted.
    private static func address(_ text: String) -> String {
        if NetworkAddress(text) != nil { return text }
        if let authority = Authority(text) {
            let host = authority.host.hasPrefix("[") ? String(authority.host.dropFirst().dropLast()) : authority.host
            if NetworkAddress(host) != nil { return host }
        }
        return String(text.prefix(64))
    }
}
