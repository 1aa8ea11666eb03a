/// What a component's attributes keep of a manifest, so that listings need not read it.
struct ManifestRecord: Codable, Hashable, Sendable {
    var mediaType: String
    /// The manifest's own, or its config's media type.
    var artifactType: String?
    var subject: String?
    /// Of manifests with a subject only, and only where they are few: `Manifest.keptAnnotations`.
    var annotations: [String: String]?
    /// They are many, and in the manifest.
    var hasMoreAnnotations: Bool?
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
