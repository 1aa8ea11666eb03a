/// What a component's attributes keep of a manifest, so that listings need not read it.
struct ManifestRecord: Codable, Hashable, Sendable {
    var mediaType: String
    /// The manifest's own, or its config's media type.
    var artifactType: String?
    var subject: String?
    /// Of manifests with a subject only.
    var annotations: [String: String]?
    /// The entries of an index that lists referrers.
    var referrers: [Referrer]?
}

/// A descriptor in a list of referrers.
struct Referrer: Codable, Hashable, Sendable {
    var mediaType: String
    var digest: String
    /// In bytes.
    var size: Int64
    var artifactType: String?
    var annotations: [String: String]?
}
