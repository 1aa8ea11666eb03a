/// The order of Maven's versions, as `ComparableVersion` has it: <https://maven.apache.org/pom.html#version-order-specification>.
///
/// A version is cut at dots, hyphens, underscores and where letters meet digits. Empty tokens are `0`; trailing tokens that say nothing (`0`, `final`, `ga`, `release`,
/// the empty one) go, before each hyphen too. Tokens are compared in turn, the shorter padded with what says nothing. A dot before a word is a hyphen:
/// `.qualifier` = `-qualifier` < `-number` < `.number`.
struct MavenVersion: Comparable, Sendable {
    /// What stands before a token: which of two shapes is less is decided by this first, where one of them is a number and the other is not.
    enum Separator: Hashable, Sendable { case dot, hyphen }

    enum Token: Hashable, Sendable {
        /// Without leading zeros; longer than any integer.
        case number(String)
        /// Lower case.
        case qualifier(String)
    }

    struct Part: Hashable, Sendable {
        var separator: Separator
        var token: Token
    }

    let text: String
    let parts: [Part]

    init(_ text: String) {
        self.text = text
        self.parts = Self.trimmed(Self.parts(text))
    }

    static func == (a: Self, b: Self) -> Bool { !(a < b) && !(b < a) }

    static func < (a: Self, b: Self) -> Bool {
        for place in 0..<max(a.parts.count, b.parts.count) {
            let (left, right) = (a.part(place, like: b), b.part(place, like: a))
            if left == right { continue }
            if let isLess = Self.precedes(left, right) { return isLess }
        }
        return false
    }

    /// Whether it is a version that goes on to change.
    static func isSnapshot(_ text: String) -> Bool { text.uppercased().hasSuffix("-SNAPSHOT") || text.uppercased() == "SNAPSHOT" }

    // MARK: Cutting

    private static func parts(_ text: String) -> [Part] {
        var (parts, separator, token): ([Part], Separator, [UInt8]) = ([], .dot, [])
        var isNumber: Bool?
        func end(_ next: Separator, followedByDigit: Bool) {
            let part = Self.token(token, followedByDigit: followedByDigit)
            if case .qualifier = part, !parts.isEmpty { separator = .hyphen }
            parts.append(Part(separator: separator, token: part))
            (separator, token) = (next, [])
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "."):
                end(.dot, followedByDigit: false)
                isNumber = nil
            case UInt8(ascii: "-"), UInt8(ascii: "_"):
                end(.hyphen, followedByDigit: false)
                isNumber = nil
            default:
                let isDigit = (0x30...0x39).contains(byte)
                if let isNumber, isNumber != isDigit { end(.hyphen, followedByDigit: isDigit) }
                isNumber = isDigit
                token.append(byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte)
            }
        }
        end(.dot, followedByDigit: false)
        return parts
    }

    private static func token(_ bytes: [UInt8], followedByDigit: Bool) -> Token {
        guard let first = bytes.first else { return .number("0") }
        guard (0x30...0x39).contains(first) else {
            let text = String(decoding: bytes, as: UTF8.self)
            switch text {
            case "a" where followedByDigit: return .qualifier("alpha")
            case "b" where followedByDigit: return .qualifier("beta")
            case "m" where followedByDigit: return .qualifier("milestone")
            case "cr": return .qualifier("rc")
            case "ga", "final", "release": return .qualifier("")
            default: return .qualifier(text)
            }
        }
        let digits = bytes.drop { $0 == UInt8(ascii: "0") }
        return .number(digits.isEmpty ? "0" : String(decoding: digits, as: UTF8.self))
    }

    /// Takes away what says nothing at the end, and before each hyphen.
    private static func trimmed(_ parts: [Part]) -> [Part] {
        var out: [Part] = []
        for part in parts {
            if part.separator == .hyphen { while let last = out.last, last.token.saysNothing { out.removeLast() } }
            out.append(part)
        }
        while let last = out.last, last.token.saysNothing { out.removeLast() }
        return out
    }

    // MARK: Comparing

    /// The part at a place; beyond the end what says nothing, of the kind that the other one has there.
    private func part(_ place: Int, like other: MavenVersion) -> Part {
        if place < self.parts.count { return self.parts[place] }
        let there = other.parts[place]
        if case .number = there.token, there.separator == .dot { return Part(separator: .dot, token: .number("0")) }
        if case .number = there.token { return Part(separator: .hyphen, token: .number("0")) }
        return Part(separator: there.separator, token: .qualifier(""))
    }

    /// nil: they are equal in rank.
    private static func precedes(_ a: Part, _ b: Part) -> Bool? {
        switch (a.token, b.token) {
        case (.number(let left), .number(let right)):
            if a.separator != b.separator { return a.separator == .hyphen }
            return left.utf8.count == right.utf8.count ? left < right : left.utf8.count < right.utf8.count
        case (.qualifier(let left), .qualifier(let right)):
            let (first, second) = (Self.rank(left), Self.rank(right))
            if first != second { return first < second }
            return left == right ? nil : left < right
        case (.qualifier, .number): return true
        case (.number, .qualifier): return false
        }
    }

    /// Known qualifiers in their order; others come after them, by their letters.
    private static func rank(_ qualifier: String) -> Int {
        ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"].firstIndex(of: qualifier) ?? 7
    }
}

extension MavenVersion.Token {
    var saysNothing: Bool {
        switch self {
        case .number(let digits): digits == "0"
        case .qualifier(let text): text.isEmpty
        }
    }
}
