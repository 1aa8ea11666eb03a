public import ArtifactModel
public import FormatAPI

/// What is asked of a Maven repository.
public struct MavenOperation: FormatOperation {
    enum Verb: Hashable, Sendable { case read, write, delete }

    let verb: Verb
    let path: MavenPath

    public var name: StaticString {
        switch (self.verb, self.path.kind) {
        case (_, _) where self.path.checksum != nil: self.verb == .read ? "checksum.read" : "checksum.write"
        case (.read, .artifact): "artifact.read"
        case (.read, .metadata): "metadata.read"
        case (.read, .archetypes): "archetypes.read"
        case (.read, .file): "file.read"
        case (.read, .folder): "folder.list"
        case (.write, .artifact): "artifact.deploy"
        case (.write, .metadata), (.write, .archetypes): "metadata.deploy"
        case (.write, _): "file.deploy"
        case (.delete, _): "delete"
        }
    }

    public var accesses: [Access] {
        switch self.verb {
        case .read where self.path.kind == .folder: [.some(.read, below: self.path.asset.map { $0.text + "/" } ?? "")]
        case .read: [Access(.read, path: self.path.subject, or: self.path.alternative)]
        case .write: [Access(.write, path: self.path.subject, or: self.path.alternative)]
        case .delete: [Access(.delete, path: self.path.subject, or: self.path.alternative)]
        }
    }

    public var subject: String {
        guard case .artifact(let artifact) = self.path.kind else { return self.path.asset?.text ?? "" }
        let classifier = artifact.classifier.isEmpty ? "" : ":\(artifact.classifier)"
        return "\(artifact.groupID):\(artifact.artifactID):\(artifact.fileExtension)\(classifier):\(artifact.version)"
    }

    /// A checksum is no artifact, and metadata is a list of them.
    public var isFetch: Bool {
        guard self.verb == .read, self.path.checksum == nil else { return false }
        return switch self.path.kind {
        case .artifact, .file: true
        case .metadata, .archetypes, .folder: false
        }
    }
}
