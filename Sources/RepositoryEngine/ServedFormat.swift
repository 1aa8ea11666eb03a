public import ArtifactModel
public import FormatAPI

/// A format with its associated types hidden, so that a server can hold several in one list.
public protocol ServedFormat: Sendable {
    var id: String { get }
    var doors: [String] { get }
    func locate(_ head: RequestHead, at entrance: Entrance, among repositories: any RepositoryDirectory) -> Location?
    func isGuest(at door: String, under settings: any Sendable) -> Bool
    func signsIn(_ head: RequestHead) -> Bool
    func prepare(_ head: RequestHead) throws(FormatError) -> any PreparedOperation
    func respond(atDoor request: ArtifactRequest, in site: any Site) async throws -> ArtifactResponse?
    func render(_ failure: Failure, for head: RequestHead) -> ArtifactResponse
    func officialPrefix(ofRemote host: String) -> String?
    func prefetch(_ reference: String, _ choice: [String], in content: any RepositoryContent, settings: any Sendable) async throws -> [Prefetch]
    func library(of content: any RepositoryContent, changes: UInt64, _ isAllowed: @escaping @Sendable (Access) -> Bool) -> (any ArtifactLibrary)?
    func name(at path: AssetPath) -> String
    /// The package of that name, where a hosted member that holds it keeps it to itself.
    /// Beginnings of header fields that no answer depends on.
    var idleFields: [String] { get }
    func exclusivePackage(_ name: String) -> PackageName?
    /// Whether an asset is a part, which is linked before anything names it.
    func isPart(_ path: AssetPath) -> Bool
    var structure: ContentStructure { get }
    /// How a repository of these settings tells parts that nothing uses; nil: it has none, or keeps them for good.
    func parts(under settings: any Sendable) -> PartRule?
}

/// Which loose assets of a repository are parts, and for how long one may be unused.
public struct PartRule: Sendable {
    public let age: Duration
    /// nil: the asset stands for itself.
    public let part: @Sendable (AssetPath) -> Part?
    public init(age: Duration, part: @escaping @Sendable (AssetPath) -> Part?) {
        self.age = age
        self.part = part
    }
}

/// How the content of a format hangs together.
public struct ContentStructure: Sendable {
    /// What an asset is a part of; nil: it stands for itself.
    public let part: @Sendable (AssetPath) -> Part?
    /// Where a part lies.
    public let path: @Sendable (Part) -> AssetPath?
    /// The kinds of edges by which a component contains others.
    public let containing: [String]
    public init(part: @escaping @Sendable (AssetPath) -> Part?, path: @escaping @Sendable (Part) -> AssetPath?, containing: [String]) {
        self.part = part
        self.path = path
        self.containing = containing
    }
}

/// What a request was understood as.
public protocol PreparedOperation: Sendable {
    var name: String { get }
    var accesses: [Access] { get }
    var subject: String { get }
    var isFetch: Bool { get }
    func respond(_ request: ArtifactRequest, in content: any RepositoryContent, settings: any Sendable) async throws -> ArtifactResponse
}

/// A format and the settings of its section of the configuration.
public struct SitedFormat<Format: RepositoryFormat>: ServedFormat {
    private let format: Format
    private let site: Format.SiteSettings

    public init(_ format: Format, site: Format.SiteSettings) {
        self.format = format
        self.site = site
    }

    public var id: String { Format.id }
    public var doors: [String] { Format.doors }
    public var idleFields: [String] { Format.idleFields }

    public func locate(_ head: RequestHead, at entrance: Entrance, among repositories: any RepositoryDirectory) -> Location? {
        self.format.locate(head, at: entrance, among: repositories, self.site)
    }

    public func isGuest(at door: String, under settings: any Sendable) -> Bool { (settings as? Format.Settings).map { Format.isGuest(at: door, $0) } ?? false }

    public func signsIn(_ head: RequestHead) -> Bool { Format.signsIn(head) }

    public func prepare(_ head: RequestHead) throws(FormatError) -> any PreparedOperation {
        Prepared(operation: try self.format.parse(head), format: self.format)
    }

    public func respond(atDoor request: ArtifactRequest, in site: any Site) async throws -> ArtifactResponse? {
        try await self.format.respond(atDoor: request, in: site)
    }

    public func render(_ failure: Failure, for head: RequestHead) -> ArtifactResponse { self.format.render(failure, for: head) }

    public func library(of content: any RepositoryContent, changes: UInt64, _ isAllowed: @escaping @Sendable (Access) -> Bool) -> (any ArtifactLibrary)? {
        self.format.library(of: content, changes: changes, isAllowed)
    }

    public func name(at path: AssetPath) -> String { Format.name(at: path) }
    public func exclusivePackage(_ name: String) -> PackageName? { Format.exclusivePackage(name) }
    public func isPart(_ path: AssetPath) -> Bool { Format.part(at: path) != nil }

    public var structure: ContentStructure {
        ContentStructure(part: { Format.part(at: $0) }, path: { Format.path(of: $0) }, containing: Format.containing)
    }

    public func parts(under settings: any Sendable) -> PartRule? {
        guard let settings = settings as? Format.Settings, let age = Format.unusedPartAge(settings) else { return nil }
        return PartRule(age: age, part: { Format.part(at: $0) })
    }

    public func officialPrefix(ofRemote host: String) -> String? { Format.officialPrefix(ofRemote: host) }

    public func prefetch(
        _ reference: String, _ choice: [String], in content: any RepositoryContent, settings: any Sendable
    ) async throws -> [Prefetch] {
        guard let settings = settings as? Format.Settings else {
            throw FormatError(.internalFailure, "the repository's settings are not those of its format")
        }
        return try await self.format.prefetch(reference, choice, in: content, settings)
    }

    private struct Prepared: PreparedOperation {
        let operation: Format.Operation
        let format: Format

        var name: String { self.operation.name.description }
        var accesses: [Access] { self.operation.accesses }
        var subject: String { self.operation.subject }
        var isFetch: Bool { self.operation.isFetch }

        func respond(_ request: ArtifactRequest, in content: any RepositoryContent, settings: any Sendable) async throws -> ArtifactResponse {
            guard let settings = settings as? Format.Settings else {
                throw FormatError(.internalFailure, "the repository's settings are not those of its format")
            }
            return try await self.format.respond(to: self.operation, request, in: content, settings)
        }
    }
}
