/// A chart repository's own keys.
public struct HelmSettings: Decodable, Hashable, Sendable {
    /// Whether its charts are served as OCI artifacts too, `oci://<host>/<repository>/<chart>`.
    public var oci: Bool

    public init(oci: Bool = false) { self.oci = oci }

    private enum CodingKeys: String, CodingKey { case oci }

    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.oci = try keys.decodeIfPresent(Bool.self, forKey: .oci) ?? false
    }
}
