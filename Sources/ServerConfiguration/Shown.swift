/// An effective value as `config show` prints it: ordered, defaults filled in, secrets as `***`.
public indirect enum Shown: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Int64)
    case text(String)
    case list([Shown])
    case mapping([Member])

    public struct Member: Hashable, Sendable {
        public var key: String
        public var value: Shown
        public init(_ key: String, _ value: Shown) {
            self.key = key
            self.value = value
        }
    }

    /// What stands in place of a secret.
    public static let secret = Shown.text("***")

    func member(_ key: String) -> Shown? {
        guard case .mapping(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    // MARK: JSON

    /// Keys in the order they have here; no line breaks.
    public var json: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let value): String(value)
        case .text(let text): Self.quoted(text)
        case .list(let members): "[" + members.map(\.json).joined(separator: ",") + "]"
        case .mapping(let members): "{" + members.map { Self.quoted($0.key) + ":" + $0.value.json }.joined(separator: ",") + "}"
        }
    }

    // MARK: YAML

    /// A block mapping, two blanks a level; scalar lists stand in brackets.
    public var yaml: String {
        guard case .mapping(let members) = self else { return self.inline + "\n" }
        return Self.block(members, indent: "")
    }

    private static func block(_ members: [Member], indent: String) -> String {
        var out = ""
        for member in members {
            out += indent + Self.key(member.key) + ":"
            switch member.value {
            case .mapping(let inner) where !inner.isEmpty: out += "\n" + Self.block(inner, indent: indent + "  ")
            default: out += " " + member.value.inline + "\n"
            }
        }
        return out
    }

    private var inline: String {
        switch self {
        case .null, .bool, .number: self.json
        case .text(let text): Self.isPlain(text) ? text : Self.quoted(text.replacing("${", with: "$${"))
        case .list(let members): "[" + members.map(\.inline).joined(separator: ", ") + "]"
        case .mapping(let members):
            "{" + members.map { " " + Self.key($0.key) + ": " + $0.value.inline }.joined(separator: ",") + (members.isEmpty ? "}" : " }")
        }
    }

    private static func key(_ key: String) -> String { Self.isPlain(key) ? key : Self.quoted(key) }

    /// Whether a text means itself without quotes, wherever it stands.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, first.isLetterOrSlash, !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
        else { return false }
        return text.utf8.allSatisfy {
            $0.isLetterOrSlash || (0x30...0x39).contains($0) || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains($0)
        }
    }

    /// In double quotes, with JSON's escapes, which YAML shares.
    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case "\r": out += "\\r"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

extension UInt8 {
    fileprivate var isLetterOrSlash: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "/"): true
        default: false
        }
    }
}
