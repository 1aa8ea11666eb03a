public import ArtifactModel

/// A chart repository's own keys.
public struct HelmSettings: Decodable, Hashable, Sendable {
    /// Whether its charts are served as OCI artifacts too, `oci://<host>/<repository>/<chart>`.
    public var oci: Bool

    /// A registry whose charts are listed and given here too.
    public var ociSource: RepositoryName?

    public init(oci: Bool = false, ociSource: RepositoryName? = nil) {
        self.oci = oci
        self.ociSource = ociSource
    }

    private enum CodingKeys: String, CodingKey { case oci, ociSource }

    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.oci = try keys.decodeIfPresent(Bool.self, forKey: .oci) ?? false
        guard let text = try keys.decodeIfPresent(String.self, forKey: .ociSource) else { return }
        do {
            self.ociSource = try RepositoryName(text)
        } catch {
            throw DecodingError.dataCorruptedError(forKey: .ociSource, in: keys, debugDescription: "«\(text)» is no repository's name")
        }
    }
}
