import ArtifactModel

/// An image's name: path components joined by `/`, 255 bytes at most. OCI distribution-spec 1.1, «Pulling manifests».
struct ImageName: Hashable, Sendable, CustomStringConvertible {
    static let longest = 255
    let text: String

    init(_ segments: some Collection<String>) throws(InvalidName) {
        let text = segments.joined(separator: "/")
        guard !segments.isEmpty, text.utf8.count <= Self.longest, segments.allSatisfy(Self.isComponent) else {
            throw InvalidName(
                kind: "image name", text: text,
                rule: "components of a-z and 0-9, joined within by one dot, one or two underscores, or hyphens; \(Self.longest) bytes in all")
        }
        self.text = text
    }

    init(_ text: String) throws(InvalidName) {
        try self.init(text.split(separator: "/", omittingEmptySubsequences: false).map(String.init))
    }

    var description: String { self.text }

    /// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
    static func isComponent(_ text: some StringProtocol) -> Bool {
        var separator: [UInt8] = []
        var letters = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard Self.joins(separator) else { return false }
                separator = []
                letters = true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                guard letters else { return false }
                separator.append(byte)
            default: return false
            }
        }
        return letters && separator.isEmpty
    }

    private static func joins(_ separator: [UInt8]) -> Bool {
        switch separator.first {
        case nil: true
        case UInt8(ascii: "."): separator.count == 1
        case UInt8(ascii: "_"): separator.count <= 2 && separator.allSatisfy { $0 == UInt8(ascii: "_") }
        default: separator.allSatisfy { $0 == UInt8(ascii: "-") }
        }
    }
}

/// A tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
struct Tag: Hashable, Sendable, CustomStringConvertible {
    let text: String

    init(_ text: String) throws(InvalidName) {
        let bytes = text.utf8
        let allowed = bytes.allSatisfy { Self.begins($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
        guard (1...128).contains(bytes.count), allowed, bytes.first.map(Self.begins) == true else {
            throw InvalidName(
                kind: "tag", text: text, rule: "1 to 128 letters, digits, underscores, dots and hyphens, beginning with a letter, digit or underscore")
        }
        self.text = text
    }

    var description: String { self.text }

    /// Clients keep referrers and signatures under such tags, `sha256-<hex>` and what follows it, and rewrite them by design.
    /// OCI distribution-spec 1.1, «Referrers Tag Schema».
    var isReferrersTag: Bool {
        let parts = self.text.split(separator: "-", maxSplits: 1)
        guard parts.count == 2, parts[0] == "sha256" || parts[0] == "sha512" else { return false }
        let hex = parts[1].utf8.prefix { (48...57).contains($0) || (97...102).contains($0) }
        return hex.count >= 64
    }

    private static func begins(_ byte: UInt8) -> Bool { byte.isASCIILetterOrDigit || byte == UInt8(ascii: "_") }
}

extension Tag {
    /// The tag under which clients keep the referrers of `digest` where a registry has no referrers API: its text with `-` for `:`,
    /// the algorithm cut to 32 and the hash to 64 characters.
    init(referrersOf digest: ContentDigest) throws(InvalidName) {
        try self.init("\(digest.algorithm.rawValue.prefix(32))-\(digest.hex.prefix(64))")
    }
}

/// What a manifest is asked for by.
enum Reference: Hashable, Sendable {
    case tag(Tag)
    case digest(ContentDigest)
}

extension ContentDigest {
    /// A digest that registries use: SHA-256 or SHA-512.
    init(image text: String) throws(InvalidName) {
        let digest = try ContentDigest(text)
        guard digest.algorithm == .sha256 || digest.algorithm == .sha512 else {
            throw InvalidName(kind: "digest", text: text, rule: "sha256: and 64 or sha512: and 128 digits 0-9a-f")
        }
        self = digest
    }
}
