import ArtifactModel
import BlobStores
import SQLMetadata
import StorageAPI
import Synchronization
import Testing

/// Something that happens once, at the one place where it is to happen: what runs side by side, in an order that a test chooses.
final class Interruption: Sendable {
    typealias Work = @Sendable () async throws -> Void
    private let work = Mutex<Work?>(nil)

    func arm(_ work: @escaping Work) { self.work.withLock { $0 = work } }
    var isOver: Bool { self.work.withLock { $0 == nil } }

    func strike() async {
        let work = self.work.withLock { work in
            defer { work = nil }
            return work
        }
        do { try await work?() } catch { Issue.record(error) }
    }
}

/// Interrupted before a batch that frees space: between what the collector saw and what it marks.
struct InterruptedDatabase: SQLDatabase {
    let database: any SQLDatabase
    let interruption: Interruption

    var dialect: SQLDialect { self.database.dialect }
    func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> Result) async throws(MetadataError) -> Result {
        try await self.database.read(body)
    }
    func commit(_ batch: [SQLStep]) async throws(MetadataError) { try await self.database.commit(batch) }
    func commitFreeing(_ batch: [SQLStep]) async throws(MetadataError) {
        await self.interruption.strike()
        try await self.database.commitFreeing(batch)
    }
}

/// Interrupted before a commit: after all that the engine looked at for it.
struct InterruptedMetadata: MetadataStore {
    let store: any MetadataStore
    let interruption: Interruption

    func asset(at path: AssetPath, in repository: RepositoryID) async throws(MetadataError) -> StoredAsset? {
        try await self.store.asset(at: path, in: repository)
    }
    func generations(of documents: [DocumentPlace]) async throws(MetadataError) -> [Int64] { try await self.store.generations(of: documents) }
    func fragments(of document: DocumentPlace, after mark: StoredFragment?, limit: Int) async throws(MetadataError) -> [StoredFragment] {
        try await self.store.fragments(of: document, after: mark, limit: limit)
    }
    func bytes(ofFragments numbers: [Int64]) async throws(MetadataError) -> [[UInt8]?] { try await self.store.bytes(ofFragments: numbers) }
    func pointer(_ name: PointerName, in repository: RepositoryID) async throws(MetadataError) -> String? {
        try await self.store.pointer(name, in: repository)
    }
    func rows(_ query: ContentQuery, in repository: RepositoryID) async throws(MetadataError) -> ContentPage {
        try await self.store.rows(query, in: repository)
    }
    func upstreamState(of subject: String, in repository: RepositoryID) async throws(MetadataError) -> UpstreamState? {
        try await self.store.upstreamState(of: subject, in: repository)
    }
    func expireUpstreamStates(_ prefix: String, in repository: RepositoryID) async throws(MetadataError) -> Int {
        try await self.store.expireUpstreamStates(prefix, in: repository)
    }
    func commit(_ edit: RepositoryEdit) async throws(MetadataError) {
        await self.interruption.strike()
        try await self.store.commit(edit)
    }
}

/// Interrupted before bytes become a blob: between a writer's hold and its rename.
struct InterruptedSeals: BlobStore {
    let store = MemoryBlobStore(clock: { Timestamp(milliseconds: 0) })
    let interruption: Interruption

    func seal(_ id: UploadID, as digest: ContentDigest, length: Int64, _ durability: Durability) async throws(BlobStoreError) {
        await self.interruption.strike()
        try await self.store.seal(id, as: digest, length: length, durability)
    }
    func create() async throws(BlobStoreError) -> any BlobWriter { try await self.store.create() }
    func resume(_ id: UploadID) async throws(BlobStoreError) -> (any BlobWriter)? { try await self.store.resume(id) }
    func discard(_ id: UploadID) async throws(BlobStoreError) { try await self.store.discard(id) }
    func open(_ digest: ContentDigest) async throws(BlobStoreError) -> (any ContentSource)? { try await self.store.open(digest) }
    func delete(_ digest: ContentDigest) async throws(BlobStoreError) { try await self.store.delete(digest) }
    func list(after digest: ContentDigest?, limit: Int) async throws(BlobStoreError) -> [(digest: ContentDigest, size: Int64)] {
        try await self.store.list(after: digest, limit: limit)
    }
    func setAside(_ digest: ContentDigest) async throws(BlobStoreError) { try await self.store.setAside(digest) }
    func asides(limit: Int) async throws(BlobStoreError) -> [(digest: ContentDigest, size: Int64)] { try await self.store.asides(limit: limit) }
    func uploads(untouchedSince moment: Timestamp) async throws(BlobStoreError) -> [UploadID] { try await self.store.uploads(untouchedSince: moment) }
    func freeSpace() async throws(BlobStoreError) -> Int64? { nil }
}
