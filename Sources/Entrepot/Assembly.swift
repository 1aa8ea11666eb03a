import AccessControl
import ArtifactModel
import Audit
import BlobStores
import BlockingWork
import Foundation
import Logging
import Maintenance
import NIOCore
import NIOPosix
import Outbound
import RepositoryEngine
import SQLMetadata
import SQLiteDriver
import ServerConfiguration
import StorageAPI
import Upstream

/// The composition root: everything that is made of a configuration and an open data folder, from the bottom to the top.
struct Assembly: Sendable {
    /// Threads: for files, which wait for the disk; for hashing, which computes; for SQLite's readers, each with a connection.
    struct Pools: Sendable {
        let files = ThreadPool(threads: 8)
        let compute = ThreadPool(threads: max(2, ProcessInfo.processInfo.activeProcessorCount))
        /// Two passwords at a time, a quarter of a second each: what hashes bytes does not wait for them.
        let passwords = ThreadPool(threads: 2)
        let database = ThreadPool(threads: 4)
        /// Looking a name up waits for the network.
        let names = ThreadPool(threads: 4)

        func shutdown() async throws {
            try await self.passwords.shutdown()
            try await self.compute.shutdown()
            try await self.files.shutdown()
            try await self.database.shutdown()
            try await self.names.shutdown()
        }
    }

    let configuration: Configuration
    let folder: DataFolder
    let pools: Pools
    let database: SQLiteDatabase
    let metadata: SQLMetadataStore
    let shelves: [BlobShelf]
    let repositories: [Repository]
    let service: ArtifactService
    let maintenance: MaintenanceService
    let verifier: Verifier
    let loops: MultiThreadedEventLoopGroup
    let upstreams: Upstreams
    let contents: ContentMaker
    let catalogue: Catalogue
    let formats: [any ServedFormat]
    let cached: CachedMetadata
    let evictor: Evictor
    let access: Access
    let audit: AuditTrail?

    static let clock: WallClock = { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    /// - Parameter isAuditing: false: the audit trail is left as it is, to be looked at.
    static func open(
        _ configuration: Configuration, absent: DataFolder.Absence, isAuditing: Bool = true, logger: Logger
    ) async throws -> Assembly {
        let folder = try DataFolder(configuration.data, absent: absent)
        for notice in folder.notices { logger.warning("modes of the data folder", metadata: ["notice": "\(notice)"]) }
        let pools = Pools()
        let reserve = ReserveFile(folder.reserve)
        reserve.releaseIfFull()
        let (database, metadata) = try await Self.database(folder, pools, reserve)
        let shelves = try await Self.shelves(configuration, metadata, pools)
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: max(2, ProcessInfo.processInfo.activeProcessorCount))
        let upstreams = Upstreams(
            OutboundSettings(configuration.outbound), agent: Program.name.replacing(" ", with: "/"), group: loops, names: pools.names, compute: pools.compute,
            now: Self.clock, logger: logger)
        let formats = try Formats.all.map { try $0.serve(configuration.siteSettings[$0.id]) }
        let repositories = try await Self.repositories(configuration, metadata, shelves, logger) { try Self.part(of: $0, formats, upstreams) }
        let uploads = UploadBook(ledger: metadata, now: Self.clock)
        let fills = Fills(compute: pools.compute, logger: logger)
        let meter = CacheMeter(bounds: Self.bounds(configuration, repositories))
        let cached = CachedMetadata(metadata) { meter.committed($0) }
        let contents = ContentMaker(
            metadata: cached, uploads: uploads, fills: fills, compute: pools.compute, now: Self.clock,
            documents: Documents(scratch: ScratchFolder(folder.temporary)), changes: cached.changes)
        let catalogue = Catalogue(repositories, formats: formats)
        let access = try await Self.access(configuration, metadata, pools, folder)
        let audit = isAuditing ? try await Self.audit(configuration, metadata, folder, logger) : nil
        let service = ArtifactService(
            catalogue, contents: contents, authorizer: access.authorizer, gate: access.gate, desk: AccountDesk(accounts: access.accounts))
        let evictor = Evictor(catalogue, meter: meter, ledger: metadata, metadata: cached, contents: contents, now: Self.clock)
        let maintenance = MaintenanceService(
            collectors: shelves.map { Collector($0, ledger: metadata, now: Self.clock) },
            sweeper: UploadSweeper(book: uploads, ledger: metadata, repositories: repositories, shelves: shelves, born: Self.clock(), now: Self.clock),
            parts: PartSweeper(catalogue, ledger: metadata, metadata: cached, now: Self.clock), evictor: evictor, logger: logger,
            replenish: { try await pools.files.run { reserve.provide() } })
        let verifier = Verifier(shelves, ledger: metadata, compute: pools.compute, now: Self.clock) { digest in
            cached.forgetAssets()
            contents.forget(digest)
        }
        return Assembly(
            configuration: configuration, folder: folder, pools: pools, database: database, metadata: metadata, shelves: shelves,
            repositories: repositories, service: service, maintenance: maintenance, verifier: verifier, loops: loops, upstreams: upstreams,
            contents: contents, catalogue: catalogue, formats: formats, cached: cached, evictor: evictor, access: access, audit: audit)
    }

    /// - Throws: `CommandFailure` that names the file: this is the operator's own machine.
    private static func database(_ folder: DataFolder, _ pools: Pools, _ reserve: ReserveFile) async throws -> (SQLiteDatabase, SQLMetadataStore) {
        do {
            let database = try await SQLiteDatabase.open(.file(folder.database), on: pools.database, reserve: reserve)
            return (database, try await SQLMetadataStore.open(database, program: Program.name, now: Self.clock()))
        } catch {
            throw CommandFailure("cannot open the database \(folder.database): \(error.message)")
        }
    }

    /// Ends what `open` began. The folder's lock goes with the last reference to it.
    func close() async throws {
        self.contents.fills.drain()
        await self.audit?.close()
        try await self.upstreams.shutdown()
        try await self.loops.shutdownGracefully()
        try await self.database.close()
        try await self.pools.shutdown()
    }

    private static func shelves(_ configuration: Configuration, _ metadata: SQLMetadataStore, _ pools: Pools) async throws -> [BlobShelf] {
        let numbers = try await metadata.adopt(stores: configuration.blobStores.map(\.name), now: Self.clock())
        var shelves: [BlobShelf] = []
        for store in configuration.blobStores {
            guard let number = numbers[store.name] else { throw CommandFailure("the blob store \(store.name) has no number") }
            shelves.append(
                BlobShelf(
                    name: store.name, id: number, store: try await FileBlobStore(root: store.path, pool: pools.files), ledger: metadata,
                    quota: store.quota, now: Self.clock))
        }
        return shelves
    }

    private static func repositories(
        _ configuration: Configuration, _ metadata: SQLMetadataStore, _ shelves: [BlobShelf], _ logger: Logger,
        part: (Configuration.Repository) throws -> Repository.Part
    ) async throws -> [Repository] {
        let byName = Dictionary(shelves.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var placed: [(Configuration.Repository, BlobShelf)] = []
        for repository in configuration.repositories {
            guard let shelf = byName[repository.blobStore] else { throw CommandFailure("there is no blob store \(repository.blobStore)") }
            placed.append((repository, shelf))
        }
        let records = try await metadata.adopt(
            repositories: placed.map {
                RepositoryDeclaration(name: $0.name, format: $0.format, role: $0.role, store: $1.id, configuration: $0.json)
            }, now: Self.clock())
        try await Self.tellForgotten(records, metadata, logger)
        return try zip(records, placed).map { record, place in
            Repository(
                id: record.id, name: place.0.name, format: place.0.format, part: try part(place.0), settings: place.0.settings, shelf: place.1,
                owns: place.0.owns, rule: place.0.routingRule.flatMap { name in configuration.routingRules.first { $0.name == name } },
                isMirror: place.0.mirror)
        }
    }

    /// A repository that left the configuration keeps all it holds: a slip in a file must not cost a team its images.
    private static func tellForgotten(_ records: [RepositoryRecord], _ metadata: SQLMetadataStore, _ logger: Logger) async throws {
        let configured = Set(records.map(\.id))
        for record in try await metadata.repositories() where !configured.contains(record.id) {
            logger.warning("repository is not in the configuration; its content is kept", metadata: ["repository": "\(record.declaration.name)"])
        }
    }
}

/// What commands and the control socket ask.
extension Assembly {
    /// Without a server: nothing listens.
    func status() async throws -> StatusReport {
        var stores: [StatusReport.Store] = []
        for shelf in self.shelves {
            let totals = try await shelf.recount()
            stores.append(StatusReport.Store(name: shelf.name, blobs: totals.count, bytes: totals.bytes))
        }
        return StatusReport(
            version: Program.name, pid: nil, uptimeSeconds: nil, listening: [], repositories: self.repositories.count, stores: stores,
            caches: try await self.cacheReports())
    }

    func repositoryReports() -> [RepositoryReport] {
        self.configuration.repositories.map {
            RepositoryReport(name: $0.name.text, format: $0.format, type: $0.role.rawValue, blobStore: $0.blobStore, configuration: $0.json)
        }
    }

    /// - Throws: `CommandFailure` for a store that is not configured.
    func verify(_ options: Verifier.Options, _ tell: @escaping @Sendable (JobProgress) -> Void) async throws -> VerificationReport {
        if let name = options.store, !self.shelves.contains(where: { $0.name == name }) { throw CommandFailure("there is no blob store \(name)") }
        return try await self.verifier.run(options) { progress in
            tell(JobProgress(verb: "verified", items: progress.blobs, bytes: progress.bytes, totalBytes: progress.totalBytes))
        }
    }

    func collect(_ tell: @escaping @Sendable (JobProgress) -> Void) async throws -> CollectionReport {
        let freed = try await self.maintenance.collect { progress in
            tell(JobProgress(verb: "freed", items: Int64(progress.freed.blobs), bytes: progress.freed.bytes, slices: progress.slices))
        }
        return CollectionReport(blobs: freed.blobs, bytes: freed.bytes, unusedParts: freed.parts)
    }
}
