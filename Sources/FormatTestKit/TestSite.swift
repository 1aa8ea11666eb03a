import AccessControl
public import ArtifactModel
import BlobStores
import BlockingWork
public import FormatAPI
import HTTPTypes
import Logging
import NIOCore
public import RepositoryEngine
import SQLMetadata
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

        var part: Repository.Part { self.upstream.map { .proxy(ProxyPart(upstream: $0, cache: self.cache)) } ?? .hosted(self.policy) }
    }

    public let clock: TestClock
    public let blobs: any BlobStore
    public let metadata: any MetadataStore & BlobLedger & PartLedger & UploadLedger
    public let shelf: BlobShelf
    public let uploads: UploadBook
    public let fills: Fills
    public let compute: any BlockingPool
    public let repositories: [Repository]
    private let catalogue: Catalogue
    private let contents: ContentMaker
    private let service: ArtifactService

    /// - Parameter blobs: a store of the test's own, such as one that fails; in memory where none is given.
    /// - Parameter holding: puts something between the engine and what the metadata knows of blobs.
    /// - Parameter decorate: puts something between engine and metadata, such as one that fails.
    public static func make<Format: RepositoryFormat>(
        _ format: Format, site: Format.SiteSettings, _ plans: [Plan], blobs: (any BlobStore)? = nil, quota: Int64? = nil,
        holding: (any BlobLedger) -> any BlobLedger = { $0 }, decorate: (any MetadataStore) -> any MetadataStore = { $0 }
    ) async throws -> TestSite {
        let clock = TestClock()
        let pool = ThreadPool(threads: 2)
        let database = try await SQLiteDatabase.open(.memory, on: pool)
        let metadata = try await SQLMetadataStore.open(database, program: "test", now: clock.now)
        let stores = try await metadata.adopt(stores: ["default"], now: clock.now)
        guard let store = stores["default"] else { throw FormatError(.internalFailure, "no number for the blob store") }
        let blobs = blobs ?? MemoryBlobStore(clock: { clock.now })
        let shelf = BlobShelf(name: "default", id: store, store: blobs, ledger: holding(metadata), quota: quota, now: { clock.now })
        let records = try await metadata.adopt(
            repositories: try plans.map {
                RepositoryDeclaration(
                    name: try RepositoryName($0.name), format: Format.id, role: $0.upstream == nil ? .hosted : .proxy, store: store, configuration: "{}")
            }, now: clock.now)
        let repositories = zip(records, plans).map { record, plan in
            Repository(
                id: record.id, name: record.declaration.name, format: Format.id, part: plan.part, settings: plan.settings, shelf: shelf)
        }
        let fills = Fills(compute: pool, logger: Logger(label: "test"))
        let uploads = UploadBook(ledger: metadata, now: { clock.now })
        let contents = ContentMaker(metadata: CachedMetadata(decorate(metadata)), uploads: uploads, fills: fills, compute: pool, now: { clock.now })
        let catalogue = Catalogue(repositories, formats: [SitedFormat(format, site: site)])
        return TestSite(
            clock: clock, blobs: blobs, metadata: metadata, shelf: shelf, uploads: uploads, fills: fills, compute: pool, repositories: repositories,
            catalogue: catalogue,
            contents: contents, service: ArtifactService(catalogue, contents: contents, authorizer: OpenAccess()))
    }

    /// Runs `body` while downloads are served.
    public func running<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.fills.run() }
            defer { self.fills.drain() }
            return try await body()
        }
    }

    /// The content of one of the repositories, as a request would see it.
    public func content(of name: String, _ delivery: Delivery = .whole) throws -> any RepositoryContent {
        guard let repository = self.repositories.first(where: { $0.name.text == name }) else {
            throw FormatError(.notFound, "the test has no repository \(name)")
        }
        return try self.contents.content(of: repository, for: .anonymous(), request: "test", delivery, in: self.catalogue, OpenAccess())
    }

    /// A request through the engine's door, its answer read whole.
    public func send(_ request: TestRequest) async throws -> TestResponse {
        let target = try RequestTarget(request.target)
        let outcome = await self.service.respond(
            to: IncomingRequest(
                id: "test", method: request.method, target: target, headers: request.headers, origin: "http://localhost", body: request.stream()))
        return try await TestResponse(outcome)
    }
}
