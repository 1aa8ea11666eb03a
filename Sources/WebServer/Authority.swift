import ArtifactModel

/// A host with or without a port, as in `Host` and in URLs. RFC 9110, 7.2.
struct Authority: Hashable, Sendable {
    /// In lower case; an IPv6 address keeps its brackets.
    let host: String
    let port: Int?

    /// nil for what is none: an empty host, user information, characters that no host has.
    init?(_ text: some StringProtocol) {
        let text = text.lowercased()
        let end = text.hasPrefix("[") ? text.firstIndex(of: "]").map(text.index(after:)) : text.firstIndex(of: ":") ?? text.endIndex
        guard let end else { return nil }
        let host = text[..<end]
        let inner = host.hasPrefix("[") ? host.dropFirst().dropLast() : host
        guard !inner.isEmpty, inner.utf8.count <= 253, inner.utf8.allSatisfy({ Self.isAllowed($0, inBrackets: host.hasPrefix("[")) }) else { return nil }
        self.host = String(host)
        guard end < text.endIndex else {
            self.port = nil
            return
        }
        let digits = text[text.index(after: end)...]
        guard text[end] == ":", digits.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        guard !digits.isEmpty else {
            self.port = nil
            return
        }
        guard let port = Int(digits), (1...65535).contains(port) else { return nil }
        self.port = port
    }

    var text: String { self.port.map { "\(self.host):\($0)" } ?? self.host }

    private static func isAllowed(_ byte: UInt8, inBrackets: Bool) -> Bool {
        byte.isASCIILetterOrDigit || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            || inBrackets && byte == UInt8(ascii: ":")
    }
}
