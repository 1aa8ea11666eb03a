public import ArtifactModel

/// What a request asks for, read from its head alone.
public protocol FormatOperation: Sendable, Equatable {
    /// Label in metrics, logs, audit and the authorisation table: a few fixed words for each format.
    var name: StaticString { get }
    /// All must be held before `respond` runs; the refused ones are given to `render`.
    var accesses: [Access] { get }
    /// What it is about, for people: the coordinates, `team/app:1.0`. Goes into the audit trail.
    var subject: String { get }
    /// Whether it asks for one artifact, or for what a client needs of it, and not for a list: what an audit calls a pull.
    var isFetch: Bool { get }
}

extension FormatOperation {
    public var subject: String { self.accesses.first?.path ?? "" }
    public var isFetch: Bool { self.accesses.first.map { $0.action == .read && $0.extent == .exact } ?? false }
}

/// Keys of a format that has none of its own.
public struct NoSettings: Decodable, Hashable, Sendable { public init() {} }

/// One format: how its URLs read, which paths never change, and what its clients expect. It knows nothing of roles, storage or
/// servers: the repository's content is given to it, hosted, proxied or merged alike.
public protocol RepositoryFormat: Sendable {
    associatedtype Operation: FormatOperation
    /// The repository's own keys in the configuration (`mutableTags:`), decoded with line and column by ServerConfiguration.
    associatedtype Settings: Decodable & Hashable & Sendable = NoSettings
    /// The keys of the top-level section that bears the format's name (`docker: { defaultRepository: … }`).
    associatedtype SiteSettings: Decodable & Hashable & Sendable = NoSettings

    /// As written in `format:`.
    static var id: String { get }
    /// Other spellings of `format:`.
    static var aliases: [String] { get }
    /// First path segments that the format answers beside `/repository/<name>/`, such as `v2`.
    static var doors: [String] { get }
    /// Whether a repository of these settings answers at another format's door too: `/v2/<name>/…` goes to it then, and not to the door's own format.
    static func isGuest(at door: String, _ settings: Settings) -> Bool
    /// Names in `SiteSettings` that must be repositories of this format.
    static func repositories(namedBy settings: SiteSettings) -> [RepositoryName]
    /// Names in `Settings` of repositories whose libraries are shown here.
    static func libraries(namedBy settings: Settings) -> [RepositoryName]
    /// Whether its repositories have libraries: `library(of:changes:_:)`.
    static var hasLibraries: Bool { get }
    /// Why a repository of this format may not have this name; nil where it may.
    static func objection(to name: RepositoryName) -> String?
    /// Beginnings, in lower case, of header fields by which its clients speak of themselves, and which nobody here looks at: they stand in the way of no answer
    /// that is given again.
    static var idleFields: [String] { get }
    /// Of hosted repositories whose configuration does not say.
    static var writePolicy: WritePolicy { get }
    /// What `owns` is matched with for a file: the image or package it is of, or its own path.
    static func name(at path: AssetPath) -> String
    /// The package of this name (as `name(at:)` says it) where a hosted member that holds it keeps it to itself in a group, so that nobody takes the place of
    /// a private package with a public one of its name; nil: members that follow may have more of it.
    static func exclusivePackage(_ name: String) -> PackageName?
    /// What an asset outside every component is a part of; nil: it stands for itself, and nothing but a request removes it.
    static func part(at path: AssetPath) -> Part?
    /// Where a part lies: the way back from `part(at:)`; nil: nowhere that could be told from it.
    static func path(of part: Part) -> AssetPath?
    /// Edges by which a component contains others of its package: they count as used when it is, and leave a full cache with it.
    static var containing: [String] { get }
    /// How long a part may be named by nothing before it is removed, counted from when it was linked or renewed; nil: for good.
    static func unusedPartAge(_ settings: Settings) -> Duration?

    /// Which repository a request is for, and where the path within it begins. Pure, and never dependent on rights.
    /// - Returns: nil where there is nothing of the format's at this address.
    func locate(_ head: RequestHead, at entrance: Entrance, among repositories: any RepositoryDirectory, _ site: SiteSettings) -> Location?
    /// Whether an address below a repository's is where a client signs in, by `OwnAccount`: open to who has no credentials yet. Its operation has no accesses and
    /// asks nothing of the repository, so that where there is none it is answered alike.
    static func signsIn(_ head: RequestHead) -> Bool
    func parse(_ head: RequestHead) throws(FormatError) -> Operation
    func respond(to operation: Operation, _ request: ArtifactRequest, in content: any RepositoryContent, _ settings: Settings) async throws -> ArtifactResponse
    /// What is asked of a root and of no one repository: `/v2/`, `/v2/_catalog`, a token service. nil: nothing is.
    func respond(atDoor request: ArtifactRequest, in site: any Site) async throws -> ArtifactResponse?
    /// What a proxy of `host` puts before names of one part, where the configuration says nothing: `library` at Docker Hub.
    static func officialPrefix(ofRemote host: String) -> String?
    /// What fetching `reference` ahead of time means: everything that its client would ask for. What must be read to know that (a manifest)
    /// is fetched on the way.
    /// - Parameter choice: which variants, in the format's words (`linux/arm64`); empty: all.
    /// - Throws: `.invalidRequest` for what is no reference, `.notFound`, and `.unsupported` where the format has no such thing.
    func prefetch(_ reference: String, _ choice: [String], in content: any RepositoryContent, _ settings: Settings) async throws -> [Prefetch]
    /// What a repository's content holds as artifacts that other formats may show, too; nil: nothing.
    func library(of content: any RepositoryContent, changes: UInt64, _ isAllowed: @escaping @Sendable (Access) -> Bool) -> (any ArtifactLibrary)?
    /// The body that the format's clients understand.
    func render(_ failure: Failure, for head: RequestHead) -> ArtifactResponse
}

extension RepositoryFormat {
    public static var aliases: [String] { [] }
    public static var doors: [String] { [] }
    public static func isGuest(at door: String, _ settings: Settings) -> Bool { false }
    public static func repositories(namedBy settings: SiteSettings) -> [RepositoryName] { [] }
    public static func libraries(namedBy settings: Settings) -> [RepositoryName] { [] }
    public static var hasLibraries: Bool { false }
    public static func objection(to name: RepositoryName) -> String? { nil }
    public static func officialPrefix(ofRemote host: String) -> String? { nil }
    public func prefetch(_ reference: String, _ choice: [String], in content: any RepositoryContent, _ settings: Settings) async throws -> [Prefetch] {
        throw FormatError(.unsupported, "\(Self.id) repositories cannot be filled ahead of time")
    }
    public func library(of content: any RepositoryContent, changes: UInt64, _ isAllowed: @escaping @Sendable (Access) -> Bool) -> (any ArtifactLibrary)? { nil }
    public static func name(at path: AssetPath) -> String { path.text }
    public static var idleFields: [String] { [] }
    public static var writePolicy: WritePolicy { .allow }
    public static func signsIn(_ head: RequestHead) -> Bool { false }
    public static func exclusivePackage(_ name: String) -> PackageName? { nil }
    public static func part(at path: AssetPath) -> Part? { nil }
    public static func path(of part: Part) -> AssetPath? { nil }
    public static var containing: [String] { [] }
    public static func unusedPartAge(_ settings: Settings) -> Duration? { nil }

    /// Of a format without doors: the repository's URL is all there is.
    public func locate(_ head: RequestHead, at entrance: Entrance, among repositories: any RepositoryDirectory, _ site: SiteSettings) -> Location? {
        guard case .repository(let name) = entrance else { return nil }
        return Location(.repository(name), consumed: 0)
    }
    public func respond(atDoor request: ArtifactRequest, in site: any Site) async throws -> ArtifactResponse? { nil }
}

/// One file to be fetched ahead of time.
public struct Prefetch: Sendable {
    public var request: ContentRequest
    /// In bytes, where it is known.
    public var size: Int64?
    public init(_ request: ContentRequest, size: Int64? = nil) {
        self.request = request
        self.size = size
    }
}

/// How a request came to the format.
public enum Entrance: Hashable, Sendable {
    /// Below `/repository/<name>/`, or at a root of the repository's own (`listen:`, `host:`).
    case repository(RepositoryName)
    /// Below one of the format's doors; the path is what follows that segment.
    case door(String)
}

/// Where a request leads.
public struct Location: Hashable, Sendable {
    public enum Target: Hashable, Sendable {
        case repository(RepositoryName)
        /// The root itself: `respond(atDoor:in:)`.
        case site
    }
    public var target: Target
    /// How many leading segments of the path are not part of the path within the target.
    public var consumed: Int
    public init(_ target: Target, consumed: Int) {
        self.target = target
        self.consumed = consumed
    }
}

/// The repositories that exist, whoever asks.
public protocol RepositoryDirectory: Sendable {
    /// Whether there is a repository of this format by that name.
    func has(_ name: RepositoryName, of format: String) -> Bool
}
