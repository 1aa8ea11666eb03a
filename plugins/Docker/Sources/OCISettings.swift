public import ArtifactModel

/// A docker repository's own keys.
public struct OCISettings: Decodable, Hashable, Sendable {
    /// Whether an index may name manifests that are not here.
    public enum MissingChildren: String, Hashable, Sendable, CaseIterable { case refuse, allow }

    /// Tags that may be moved under `writePolicy: allowOnce`; `*` stands for any run of characters.
    public var mutableTags: [String]
    public var missingChildren: MissingChildren
    /// How long a layer stays linked to an image without a manifest that names it.
    public var unusedBlobAge: Age

    public init(mutableTags: [String] = [], missingChildren: MissingChildren = .refuse, unusedBlobAge: Age = .week) {
        self.mutableTags = mutableTags
        self.missingChildren = missingChildren
        self.unusedBlobAge = unusedBlobAge
    }

    private enum CodingKeys: String, CodingKey { case mutableTags, missingChildren, unusedBlobAge }

    /// - Throws: `DecodingError.dataCorrupted`, with what is allowed.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.mutableTags = try keys.decodeIfPresent([String].self, forKey: .mutableTags) ?? []
        for pattern in self.mutableTags where !TagPattern.isOne(pattern) {
            throw DecodingError.dataCorruptedError(
                forKey: .mutableTags, in: keys,
                debugDescription: "«\(pattern)» is no pattern of tags: 1 to 128 letters, digits, dots, hyphens, underscores and *")
        }
        let missing = try keys.decodeIfPresent(String.self, forKey: .missingChildren) ?? MissingChildren.refuse.rawValue
        guard let missingChildren = MissingChildren(rawValue: missing) else {
            let allowed = MissingChildren.allCases.map(\.rawValue).joined(separator: " or ")
            throw DecodingError.dataCorruptedError(forKey: .missingChildren, in: keys, debugDescription: "«\(missing)» is not \(allowed)")
        }
        self.missingChildren = missingChildren
        let age = try keys.decodeIfPresent(String.self, forKey: .unusedBlobAge) ?? Age.week.description
        guard let unusedBlobAge = Age(age) else {
            throw DecodingError.dataCorruptedError(forKey: .unusedBlobAge, in: keys, debugDescription: "«\(age)» is not \(Age.rule)")
        }
        self.unusedBlobAge = unusedBlobAge
    }
}

extension OCISettings {
    /// When a layer that a client asks for is renewed; nil: its link is not to last anyway.
    var renewingAge: Duration? { self.unusedBlobAge.duration > .zero ? self.unusedBlobAge.duration / 2 : nil }
}

/// The top-level section `docker:`.
public struct OCISiteSettings: Decodable, Hashable, Sendable {
    /// Where images of `/v2/` go that name no repository.
    public var defaultRepository: RepositoryName?
    /// By the host that containerd names in `?ns=`.
    public var namespaces: [String: RepositoryName]

    public init(defaultRepository: RepositoryName? = nil, namespaces: [String: RepositoryName] = [:]) {
        self.defaultRepository = defaultRepository
        self.namespaces = namespaces
    }

    private enum CodingKeys: String, CodingKey { case defaultRepository, namespaces }

    private struct HostKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// - Throws: `DecodingError.dataCorrupted` at the key whose value is no repository's name.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.defaultRepository = try keys.decodeIfPresent(String.self, forKey: .defaultRepository).map { try Self.name($0, .defaultRepository, in: keys) }
        self.namespaces = [:]
        guard keys.contains(.namespaces) else { return }
        let hosts = try keys.nestedContainer(keyedBy: HostKey.self, forKey: .namespaces)
        for host in hosts.allKeys {
            guard !host.stringValue.isEmpty, host.stringValue.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }) else {
                throw DecodingError.dataCorruptedError(forKey: host, in: hosts, debugDescription: "«\(host.stringValue)» is no host, such as docker.io")
            }
            self.namespaces[host.stringValue] = try Self.name(try hosts.decode(String.self, forKey: host), host, in: hosts)
        }
    }

    private static func name<Key: CodingKey>(_ text: String, _ key: Key, in keys: KeyedDecodingContainer<Key>) throws -> RepositoryName {
        do {
            return try RepositoryName(text)
        } catch {
            throw DecodingError.dataCorruptedError(forKey: key, in: keys, debugDescription: error.description)
        }
    }
}

/// Patterns over tags: `*` is any run of characters.
enum TagPattern {
    static func isOne(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
    }

    /// Time in proportion to pattern times text: after a star only the nearest is ever tried again.
    static func matches(_ pattern: String, _ text: String) -> Bool {
        let pattern = Array(pattern.utf8)
        let text = Array(text.utf8)
        var at = 0
        var position = 0
        var star: (position: Int, at: Int)?
        while at < text.count {
            if position < pattern.count, pattern[position] == UInt8(ascii: "*") {
                star = (position, at)
                position += 1
            } else if position < pattern.count, pattern[position] == text[at] {
                position += 1
                at += 1
            } else if let last = star {
                position = last.position + 1
                at = last.at + 1
                star = (last.position, at)
            } else {
                return false
            }
        }
        return pattern[position...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
