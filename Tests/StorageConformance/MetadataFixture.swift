public import ArtifactModel
import NIOCore
public import StorageAPI

/// Everything that a metadata database is asked for.
public typealias Metadata = MetadataStore & BlobLedger & BlobAudit & PartLedger & UploadLedger & RepositoryLedger & UsageLedger & CacheLedger
    & DocumentLedger & AccountLedger & TokenLedger & KeyLedger

/// A database with a blob store and two hosted repositories, at moment 1,000,000.
public struct MetadataFixture: Sendable {
    public let metadata: any Metadata
    public let store: BlobStoreID
    public let repository: RepositoryID
    public let other: RepositoryID
    public let now = Timestamp(milliseconds: 1_000_000)

    /// - Parameter metadata: empty.
    public init(_ metadata: any Metadata) async throws {
        self.metadata = metadata
        self.store = try demandValue(try await metadata.adopt(stores: ["default"], now: self.now)["default"])
        let store = self.store
        let declarations = try ["main", "other"].map {
            RepositoryDeclaration(name: try RepositoryName($0), format: "raw", role: .hosted, store: store, configuration: "{}")
        }
        let records = try await metadata.adopt(repositories: declarations, now: self.now)
        self.repository = records[0].id
        self.other = records[1].id
    }

    /// Held for ten seconds; bytes are the blob store's, and none are here.
    public func blob(_ text: String, more digests: [ContentDigest] = []) async throws -> StagedBlob {
        let until = self.now + .seconds(10)
        let all = [try Bytes.digest(of: text)] + digests
        try demand(try await self.metadata.hold(all, size: Int64(text.utf8.count), in: self.store, now: self.now, until: until), "the collector has it")
        return StagedBlob(digests: all, size: Int64(text.utf8.count), heldUntil: until, source: MemoryContent(.init()))
    }

    public func asset(_ path: String, _ text: String, more digests: [ContentDigest] = [], attributes: [String: String] = [:]) async throws -> NewAsset {
        NewAsset(AssetPath(checked: path), try await self.blob(text, more: digests), contentType: "text/plain", attributes: attributes)
    }

    public func put(_ path: String, _ text: String) async throws { try await self.commit([.putAsset(try await self.asset(path, text), .byPolicy)]) }

    public func component(_ name: String, _ version: String, _ assets: [NewAsset] = [], attributes: String = "{}", edges: [Edge] = []) -> Component {
        Component(Coordinates(package: PackageName(name: name), version: version), attributes: attributes, assets: assets, edges: edges)
    }

    public func commit(
        _ changes: [Edit.Change], requiring requirements: [Edit.Requirement] = [], policy: WritePolicy = .allow, into repository: RepositoryID? = nil,
        sources: [RepositoryName: RepositoryID] = [:]
    ) async throws(MetadataError) {
        try await self.metadata.commit(
            RepositoryEdit(
                repository: repository ?? self.repository, store: self.store, edit: Edit(requiring: requirements, changes), policy: policy, sources: sources,
                principal: "tester", now: self.now))
    }

    func digest(at path: String, in repository: RepositoryID? = nil) async throws -> ContentDigest? {
        try await self.metadata.asset(at: AssetPath(checked: path), in: repository ?? self.repository)?.digests.first
    }

    /// All names, by pages of `limit`.
    func names(_ subject: ContentQuery.Subject, limit: Int) async throws -> [String] {
        var names: [String] = []
        while true {
            let page = try await self.metadata.rows(ContentQuery(subject, after: names.last, limit: limit), in: self.repository)
            names += page.rows.map(\.name)
            if !page.more { return names }
            try demand(!page.rows.isEmpty, "more is said to follow an empty page")
        }
    }

    func refused(_ code: MetadataError.Code, line: UInt = #line, _ work: () async throws(MetadataError) -> Void) async throws {
        do {
            try await work()
        } catch {
            return try demand(error.code == code, "\(error.code) instead of \(code): \(error.message)", line: line)
        }
        throw ConformanceFailure(description: "line \(line): it was not refused with \(code)")
    }
}
