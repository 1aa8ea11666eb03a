/// A Maven repository's own keys.
public struct MavenSettings: Decodable, Hashable, Sendable {
    public enum VersionPolicy: String, Hashable, Sendable, CaseIterable { case release, snapshot, mixed }
    public enum LayoutPolicy: String, Hashable, Sendable, CaseIterable { case strict, permissive }
    /// What becomes of an upstream's file that is not what the upstream's own checksum says.
    public enum ChecksumPolicy: String, Hashable, Sendable, CaseIterable { case ignore, warn, fail }

    public var versionPolicy: VersionPolicy
    public var layoutPolicy: LayoutPolicy
    public var checksumPolicy: ChecksumPolicy

    public init(versionPolicy: VersionPolicy = .mixed, layoutPolicy: LayoutPolicy = .strict, checksumPolicy: ChecksumPolicy = .fail) {
        self.versionPolicy = versionPolicy
        self.layoutPolicy = layoutPolicy
        self.checksumPolicy = checksumPolicy
    }

    private enum CodingKeys: String, CodingKey { case versionPolicy, layoutPolicy, checksumPolicy }

    /// - Throws: `DecodingError.dataCorrupted`, with what is allowed.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.versionPolicy = try Self.word(.versionPolicy, keys) ?? .mixed
        self.layoutPolicy = try Self.word(.layoutPolicy, keys) ?? .strict
        self.checksumPolicy = try Self.word(.checksumPolicy, keys) ?? .fail
    }

    private static func word<Word: RawRepresentable & CaseIterable>(
        _ key: CodingKeys, _ keys: KeyedDecodingContainer<CodingKeys>
    ) throws -> Word? where Word.RawValue == String {
        guard let text = try keys.decodeIfPresent(String.self, forKey: key) else { return nil }
        guard let word = Word(rawValue: text.lowercased()) else {
            let allowed = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw DecodingError.dataCorruptedError(forKey: key, in: keys, debugDescription: "«\(text)» is none of \(allowed)")
        }
        return word
    }
}
