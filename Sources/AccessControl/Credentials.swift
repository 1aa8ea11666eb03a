#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What a request brings to show who sends it.
public enum Credentials: Hashable, Sendable {
    case none
    case basic(name: String, secret: String)
    case bearer(String)
    /// A header that is no credential of ours: another scheme, bad Base64, several headers.
    case unreadable

    /// In bytes, of the header's value.
    public static let longest = 16 << 10

    /// - Parameter authorization: the values of every `Authorization` header. RFC 9110, 11.6.2; RFC 7617; RFC 6750, 2.1.
    public init(authorization values: [String]) {
        guard let value = values.first else {
            self = .none
            return
        }
        guard values.count == 1, value.utf8.count <= Self.longest else {
            self = .unreadable
            return
        }
        let parts = value.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        let rest = parts.count == 2 ? parts[1].drop { $0 == " " } : ""
        switch parts.first?.lowercased() {
        case nil: self = .none
        case "basic": self = Self.basic(rest)
        case "bearer": self = Self.bearer(rest)
        default: self = .unreadable
        }
    }

    /// The name has no colon; the secret may. Both empty is what some clients send that know neither.
    private static func basic(_ text: Substring) -> Credentials {
        guard let data = Data(base64Encoded: Self.padded(text)), let pair = String(data: data, encoding: .utf8), !pair.utf8.contains(0),
            let colon = pair.utf8.firstIndex(of: UInt8(ascii: ":"))
        else { return .unreadable }
        let (name, secret) = (String(pair[..<colon]), String(pair[pair.utf8.index(after: colon)...]))
        return name.isEmpty && secret.isEmpty ? .none : .basic(name: name, secret: secret)
    }

    /// Some clients leave the padding out.
    private static func padded(_ text: Substring) -> String { text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4) }

    private static func bearer(_ text: Substring) -> Credentials {
        let isToken = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: ",") }
        return isToken ? .bearer(String(text)) : .unreadable
    }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible {
    /// Never the secret.
    public var description: String {
        switch self {
        case .none: "none"
        case .basic(let name, _): "basic(\(name), ***)"
        case .bearer: "bearer(***)"
        case .unreadable: "unreadable"
        }
    }
    public var debugDescription: String { self.description }
}
