public import ArtifactModel

/// What an upstream said last about a movable name or file.
public struct UpstreamState: Hashable, Sendable {
    /// `path:` and the file's path, or the pointer's kind, package and name.
    public var subject: String
    /// With its quotes; empty: none.
    public var entityTag: String
    /// As it came; empty: none.
    public var lastModified: String
    /// When it was right, as far as caches on the way say.
    public var checked: Timestamp

    public init(subject: String, entityTag: String, lastModified: String, checked: Timestamp) {
        self.subject = subject
        self.entityTag = entityTag
        self.lastModified = lastModified
        self.checked = checked
    }

    public static func subject(of path: AssetPath) -> String { "path:\(path.text)" }
    public static func subject(of pointer: PointerName) -> String {
        "\(pointer.kind):\(pointer.package.namespace)/\(pointer.package.name):\(pointer.name)"
    }
}
