public import AccessControl
public import ArtifactModel
public import FormatAPI

/// A configured repository with its number.
public struct Repository: Sendable {
    public enum Part: Sendable {
        case hosted(WritePolicy)
        case proxy(ProxyPart)
        case group(GroupPart)
    }
    public let id: RepositoryID
    public let name: RepositoryName
    /// The format's id.
    public let format: String
    public let part: Part
    /// The format's `Settings`.
    public let settings: any Sendable
    public let shelf: BlobShelf
    /// Names that are asked of this repository only, in every group.
    public let owns: [Glob]
    /// Which paths it may be asked about; nil: all.
    public let rule: RoutingRule?
    /// Its own root and URL never ask anybody to sign in, and take no credentials.
    public let isMirror: Bool

    public init(
        id: RepositoryID, name: RepositoryName, format: String, part: Part, settings: any Sendable, shelf: BlobShelf, owns: [Glob] = [],
        rule: RoutingRule? = nil, isMirror: Bool = false
    ) {
        self.isMirror = isMirror
        self.rule = rule
        self.owns = owns
        self.id = id
        self.name = name
        self.format = format
        self.part = part
        self.settings = settings
        self.shelf = shelf
    }
}

/// The repositories and formats that a server serves. A value: a new configuration is a new catalogue.
public struct Catalogue: RepositoryDirectory {
    public private(set) var repositories: [RepositoryName: Repository]
    let formats: [String: any ServedFormat]
    let doors: [String: any ServedFormat]
    /// Of each group, flattened.
    let members: [RepositoryName: [Repository]]
    /// Those that own names.
    let owners: [Repository]

    public init(_ repositories: [Repository], formats: [any ServedFormat]) {
        self.repositories = Dictionary(repositories.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.members = Self.flattened(self.repositories)
        self.owners = repositories.filter { !$0.owns.isEmpty }
        self.formats = Dictionary(formats.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.doors = Dictionary(formats.flatMap { format in format.doors.map { ($0, format) } }, uniquingKeysWith: { first, _ in first })
    }

    /// nil: the repository has no parts that could be unused.
    public func parts(of repository: Repository) -> PartRule? { self.formats[repository.format]?.parts(under: repository.settings) }

    /// nil: its format is not served here.
    public func structure(of repository: Repository) -> ContentStructure? { self.formats[repository.format]?.structure }

    /// As it looks to who may not know that there is this one.
    func hiding(_ name: RepositoryName) -> Catalogue {
        var other = self
        other.repositories[name] = nil
        return other
    }

    var isEmpty: Bool { self.repositories.isEmpty }

    public func has(_ name: RepositoryName, of format: String) -> Bool { self.repositories[name]?.format == format }
}
