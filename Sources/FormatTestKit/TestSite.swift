public import AccessControl
public import ArtifactModel
import BlobStores
import BlockingWork
public import FormatAPI
import HTTPTypes
import Logging
import NIOCore
public import RepositoryEngine
public import SQLMetadata
import SQLiteDriver
public import StorageAPI

/// The real engine around one format, for its tests: hosted repositories over a blob store in memory and SQLite's `:memory:`. No sockets.
public struct TestSite: Sendable {
    /// One repository to be made.
    public struct Plan: Sendable {
        var name: String
        var policy: WritePolicy
        var settings: any Sendable
        var upstream: (any UpstreamClient)?
        var group: GroupPart?
        var owns: [Glob] = []
        var rule: RoutingRule?
        var cache = ProxyPart.Cache(
            maxAge: .seconds(600), negativeMaxAge: .seconds(60), revalidateDeadline: .seconds(2), staleOnError: true, maxStale: .seconds(86400))
        public init(_ name: String, policy: WritePolicy = .allow, settings: any Sendable = NoSettings()) {
            self.name = name
            self.policy = policy
            self.settings = settings
        }

        /// A proxy of `upstream`.
        public static func proxy(_ name: String, of upstream: any UpstreamClient, settings: any Sendable = NoSettings()) -> Plan {
            var plan = Plan(name, settings: settings)
            plan.upstream = upstream
            return plan
        }

        /// A group of repositories of the same site.
        public static func group(
            _ name: String, of members: [String], writeTo: String? = nil, onMemberError: GroupPart.OnMemberError = .fail,
            merge: GroupPart.Merge = .hosted, settings: any Sendable = NoSettings()
        ) throws -> Plan {
            var plan = Plan(name, settings: settings)
            plan.group = GroupPart(
                members: try members.map { try RepositoryName($0) }, writeTo: try writeTo.map { try RepositoryName($0) }, onMemberError: onMemberError,
                merge: merge)
            return plan
        }

        /// The same with other rules for what is kept.
        public func caching(_ change: (inout ProxyPart.Cache) throws -> Void) rethrows -> Plan {
            var plan = self
            try change(&plan.cache)
            return plan
        }

        /// The same with names of its own: patterns, as in `owns:`.
        public func owning(_ patterns: String...) throws -> Plan {
            var plan = self
            plan.owns = try patterns.map { try Glob($0) }
            return plan
        }

        /// The same with a routing rule: expressions, as in `matchers:`.
        public func blocking(_ matchers: String...) throws -> Plan { try self.ruled(.block, matchers) }
        public func allowing(_ matchers: String...) throws -> Plan { try self.ruled(.allow, matchers) }

        private func ruled(_ mode: RoutingRule.Mode, _ matchers: [String]) throws -> Plan {
            var plan = self
            plan.rule = RoutingRule(name: "rule", mode: mode, matchers: try matchers.map { try LinearExpression($0) })
            return plan
        }

        var role: Role { self.group != nil ? .group : self.upstream != nil ? .proxy : .hosted }
        var part: Repository.Part {
            if let group { return .group(group) }
            return self.upstream.map { .proxy(ProxyPart(upstream: $0, cache: self.cache)) } ?? .hosted(self.policy)
        }
    }

    public let clock: TestClock
    public let blobs: any BlobStore
    public let metadata: any MetadataStore & BlobLedger & BlobAudit & PartLedger & UploadLedger & RepositoryLedger & UsageLedger & CacheLedger
    public let shelf: BlobShelf
    public let uploads: UploadBook
    public let fills: Fills
    public let repositories: [Repository]
    /// What requests commit to.
    public let cached: any MetadataStore
    /// Where hashing runs.
    public let compute: any BlockingPool
    /// Takes a blob out of what the engine remembers, as whoever changed its row or its bytes must.
    public let forget: @Sendable (ContentDigest) -> Void
    public let catalogue: Catalogue
    public let contents: ContentMaker
    private let service: ArtifactService

    /// - Parameter blobs: a store of the test's own, such as one that fails; in memory where none is given.
    /// - Parameter holding: puts something between the engine and what the metadata knows of blobs.
    /// - Parameter sessions: the same for upload sessions.
    /// - Parameter database: one of the test's own, to look into; SQLite's `:memory:` where none is given.
    /// - Parameter pool: where blocking work runs; two threads that end with the process where none is given.
    /// - Parameter decorate: puts something between engine and metadata, such as one that fails.
    /// - Parameter onCommit: told of every edit that requests have committed.
    /// - Parameter gate: who is who; no access control where none is given.
    public static func make<Format: RepositoryFormat>(
        _ format: Format, site: Format.SiteSettings, _ plans: [Plan], blobs: (any BlobStore)? = nil, quota: Int64? = nil,
        database: (any SQLDatabase)? = nil, pool: (any BlockingPool)? = nil, holding: (any BlobLedger) -> any BlobLedger = { $0 },
        sessions: (any UploadLedger) -> any UploadLedger = { $0 }, decorate: (any MetadataStore) -> any MetadataStore = { $0 },
        onCommit: @escaping @Sendable (RepositoryEdit) -> Void = { _ in }, authorizer: any Authorizer = OpenAccess(), gate: any Gatekeeper = OpenGate(),
        desk: (any TokenDesk)? = nil
    ) async throws -> TestSite {
        let clock = TestClock()
        let pool = pool ?? ThreadPool(threads: 2)
        let own: any SQLDatabase
        if let database { own = database } else { own = try await SQLiteDatabase.open(.memory, on: pool) }
        let metadata = try await SQLMetadataStore.open(own, program: "test", now: clock.now)
        let stores = try await metadata.adopt(stores: ["default"], now: clock.now)
        guard let store = stores["default"] else { throw FormatError(.internalFailure, "no number for the blob store") }
        let blobs = blobs ?? MemoryBlobStore(clock: { clock.now })
        let shelf = BlobShelf(name: "default", id: store, store: blobs, ledger: holding(metadata), quota: quota, now: { clock.now })
        let records = try await metadata.adopt(
            repositories: try plans.map {
                RepositoryDeclaration(
                    name: try RepositoryName($0.name), format: Format.id, role: $0.role, store: store, configuration: "{}")
            }, now: clock.now)
        let repositories = zip(records, plans).map { record, plan in
            Repository(
                id: record.id, name: record.declaration.name, format: Format.id, part: plan.part, settings: plan.settings, shelf: shelf, owns: plan.owns,
                rule: plan.rule)
        }
        let fills = Fills(compute: pool, logger: Logger(label: "test"))
        let uploads = UploadBook(ledger: sessions(metadata), now: { clock.now })
        let cached = CachedMetadata(decorate(metadata), onCommit: onCommit)
        let contents = ContentMaker(
            metadata: cached, uploads: uploads, fills: fills, compute: pool, now: { clock.now }, documents: Documents(scratch: ScratchFolder("/tmp")),
            changes: cached.changes)
        let catalogue = Catalogue(repositories, formats: [SitedFormat(format, site: site)])
        return TestSite(
            clock: clock, blobs: blobs, metadata: metadata, shelf: shelf, uploads: uploads, fills: fills, repositories: repositories, cached: cached,
            compute: pool,
            forget: { digest in
                cached.forgetAssets()
                contents.forget(digest)
            }, catalogue: catalogue, contents: contents,
            service: ArtifactService(catalogue, contents: contents, authorizer: authorizer, gate: gate, desk: desk))
    }

    /// Runs `body` while downloads are served.
    public func running(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.fills.run() }
            defer { self.fills.drain() }
            try await body()
        }
    }

    /// The content of one of the repositories, as a request would see it.
    public func content(of name: String, _ delivery: Delivery = .whole) throws -> any RepositoryContent {
        guard let repository = self.repositories.first(where: { $0.name.text == name }) else {
            throw FormatError(.notFound, "the test has no repository \(name)")
        }
        return self.contents.content(of: repository, for: .anonymous(), request: "test", delivery, in: self.catalogue, OpenAccess())
    }

    /// As a repair does with bytes that turn out to be bad and are nowhere else: the blob is lost until somebody brings it again.
    public func lose(_ digest: ContentDigest) async throws {
        guard let row = try await self.metadata.blob(digest, in: self.shelf.id) else { throw FormatError(.notFound, "the test has no blob \(digest)") }
        try await self.metadata.amend(row.id, .lost)
        self.forget(digest)
        try await self.blobs.setAside(digest)
    }

    /// A request through the engine's door, its answer read whole.
    public func send(_ request: TestRequest) async throws -> TestResponse {
        let target = try RequestTarget(request.target)
        let outcome = await self.service.respond(
            to: IncomingRequest(
                id: "test", method: request.method, target: target, headers: request.headers, origin: "http://localhost", ownRoot: request.ownRoot,
                body: request.stream(), explain: request.explain, credentials: request.credentials, client: "127.0.0.1",
                admission: request.admission))
        return try await TestResponse(outcome, on: self.compute)
    }
}
