import ArtifactModel
import NIOCore
import StorageAPI

struct FaultyBlobs: BlobStore {
    let store: any BlobStore
    let faults: FaultSchedule

    func create() async throws(BlobStoreError) -> any BlobWriter {
        let writer = try await self.faults.blob("create") { () throws(BlobStoreError) in try await self.store.create() }
        return FaultyWriter(writer: writer, faults: self.faults)
    }
    func resume(_ id: UploadID) async throws(BlobStoreError) -> (any BlobWriter)? {
        let writer = try await self.faults.blob("resume") { () throws(BlobStoreError) in try await self.store.resume(id) }
        return writer.map { FaultyWriter(writer: $0, faults: self.faults) }
    }
    func seal(_ id: UploadID, as digest: ContentDigest, length: Int64, _ durability: Durability) async throws(BlobStoreError) {
        try await self.faults.blob("seal") { () throws(BlobStoreError) in try await self.store.seal(id, as: digest, length: length, durability) }
    }
    func discard(_ id: UploadID) async throws(BlobStoreError) {
        try await self.faults.blob("discard") { () throws(BlobStoreError) in try await self.store.discard(id) }
    }
    func open(_ digest: ContentDigest) async throws(BlobStoreError) -> (any ContentSource)? {
        try await self.faults.blob("open") { () throws(BlobStoreError) in try await self.store.open(digest) }
    }
    func delete(_ digest: ContentDigest) async throws(BlobStoreError) {
        try await self.faults.blob("delete") { () throws(BlobStoreError) in try await self.store.delete(digest) }
    }
    func setAside(_ digest: ContentDigest) async throws(BlobStoreError) {
        try await self.faults.blob("setAside") { () throws(BlobStoreError) in try await self.store.setAside(digest) }
    }
    func asides(limit: Int) async throws(BlobStoreError) -> [(digest: ContentDigest, size: Int64)] { try await self.store.asides(limit: limit) }
    func list(after digest: ContentDigest?, limit: Int) async throws(BlobStoreError) -> [(digest: ContentDigest, size: Int64)] {
        try await self.store.list(after: digest, limit: limit)
    }
    func uploads(untouchedSince moment: Timestamp) async throws(BlobStoreError) -> [UploadID] {
        try await self.faults.blob("uploads") { () throws(BlobStoreError) in try await self.store.uploads(untouchedSince: moment) }
    }
    func freeSpace() async throws(BlobStoreError) -> Int64? {
        try await self.faults.blob("freeSpace") { () throws(BlobStoreError) in try await self.store.freeSpace() }
    }
    func space() async throws(BlobStoreError) -> StoreSpace? {
        try await self.faults.blob("space") { () throws(BlobStoreError) in try await self.store.space() }
    }
}

private struct FaultyWriter: BlobWriter {
    let writer: any BlobWriter
    let faults: FaultSchedule

    var id: UploadID { self.writer.id }
    func length() async throws(BlobStoreError) -> Int64 {
        try await self.faults.blob("length") { () throws(BlobStoreError) in try await self.writer.length() }
    }
    func write(_ batch: [ByteBuffer], at offset: Int64) async throws(BlobStoreError) {
        try await self.faults.blob("write") { () throws(BlobStoreError) in try await self.writer.write(batch, at: offset) }
    }
    func truncate(to length: Int64) async throws(BlobStoreError) {
        try await self.faults.blob("truncate") { () throws(BlobStoreError) in try await self.writer.truncate(to: length) }
    }
    func reading() async throws(BlobStoreError) -> any ContentSource {
        try await self.faults.blob("reading") { () throws(BlobStoreError) in try await self.writer.reading() }
    }
    func arriving() -> any ContentSource { self.writer.arriving() }
}

struct FaultyMetadata: MetadataStore {
    let store: any MetadataStore
    let faults: FaultSchedule

    func asset(at path: AssetPath, in repository: RepositoryID) async throws(MetadataError) -> StoredAsset? {
        try await self.faults.row("asset") { () throws(MetadataError) in try await self.store.asset(at: path, in: repository) }
    }
    func generations(of documents: [DocumentPlace]) async throws(MetadataError) -> [Int64] { try await self.store.generations(of: documents) }
    func fragments(of document: DocumentPlace, after mark: StoredFragment?, limit: Int) async throws(MetadataError) -> [StoredFragment] {
        try await self.store.fragments(of: document, after: mark, limit: limit)
    }
    func bytes(ofFragments numbers: [Int64]) async throws(MetadataError) -> [[UInt8]?] { try await self.store.bytes(ofFragments: numbers) }
    func pointer(_ name: PointerName, in repository: RepositoryID) async throws(MetadataError) -> String? {
        try await self.faults.row("pointer") { () throws(MetadataError) in try await self.store.pointer(name, in: repository) }
    }
    func rows(_ query: ContentQuery, in repository: RepositoryID) async throws(MetadataError) -> ContentPage {
        try await self.faults.row("rows") { () throws(MetadataError) in try await self.store.rows(query, in: repository) }
    }
    func upstreamState(of subject: String, in repository: RepositoryID) async throws(MetadataError) -> UpstreamState? {
        try await self.faults.row("upstream state") { () throws(MetadataError) in try await self.store.upstreamState(of: subject, in: repository) }
    }
    func expireUpstreamStates(_ prefix: String, in repository: RepositoryID) async throws(MetadataError) -> Int {
        try await self.faults.row("expire") { () throws(MetadataError) in try await self.store.expireUpstreamStates(prefix, in: repository) }
    }
    func commit(_ edit: RepositoryEdit) async throws(MetadataError) {
        try await self.faults.row("commit") { () throws(MetadataError) in try await self.store.commit(edit) }
    }
}

struct FaultyLedger: BlobLedger {
    let ledger: any BlobLedger
    let faults: FaultSchedule

    func hold(_ digests: [ContentDigest], size: Int64, in store: BlobStoreID, now: Timestamp, until: Timestamp) async throws(MetadataError) -> Bool {
        try await self.faults.row("hold") { () throws(MetadataError) in
            try await self.ledger.hold(digests, size: size, in: store, now: now, until: until)
        }
    }
    func doom(in store: BlobStoreID, after id: Int64, limit: Int, now: Timestamp) async throws(MetadataError) -> DoomedSlice {
        try await self.faults.row("doom") { () throws(MetadataError) in try await self.ledger.doom(in: store, after: id, limit: limit, now: now) }
    }
    func doomed(in store: BlobStoreID, after id: Int64, limit: Int) async throws(MetadataError) -> [DoomedBlob] {
        try await self.faults.row("doomed") { () throws(MetadataError) in try await self.ledger.doomed(in: store, after: id, limit: limit) }
    }
    func forget(_ ids: [Int64]) async throws(MetadataError) {
        try await self.faults.row("forget") { () throws(MetadataError) in try await self.ledger.forget(ids) }
    }
    func size(of digest: ContentDigest, in store: BlobStoreID) async throws(MetadataError) -> Int64? {
        try await self.faults.row("size") { () throws(MetadataError) in try await self.ledger.size(of: digest, in: store) }
    }
    func totals(in store: BlobStoreID) async throws(MetadataError) -> BlobTotals {
        try await self.faults.row("totals") { () throws(MetadataError) in try await self.ledger.totals(in: store) }
    }
}

struct FaultySessions: UploadLedger {
    let ledger: any UploadLedger
    let faults: FaultSchedule

    func open(_ upload: UploadRecord) async throws(MetadataError) {
        try await self.faults.row("session open") { () throws(MetadataError) in try await self.ledger.open(upload) }
    }
    func upload(_ id: UploadID) async throws(MetadataError) -> UploadRecord? {
        try await self.faults.row("session") { () throws(MetadataError) in try await self.ledger.upload(id) }
    }
    func extend(_ id: UploadID, until: Timestamp) async throws(MetadataError) {
        try await self.faults.row("session extend") { () throws(MetadataError) in try await self.ledger.extend(id, until: until) }
    }
    func close(_ id: UploadID) async throws(MetadataError) {
        try await self.faults.row("session close") { () throws(MetadataError) in try await self.ledger.close(id) }
    }
    func expired(before now: Timestamp, limit: Int) async throws(MetadataError) -> [UploadRecord] {
        try await self.faults.row("expired") { () throws(MetadataError) in try await self.ledger.expired(before: now, limit: limit) }
    }
}

struct FaultyParts: PartLedger {
    let ledger: any PartLedger
    let faults: FaultSchedule

    func loose(in repository: RepositoryID, after path: String, before moment: Timestamp, limit: Int) async throws(MetadataError) -> LooseSlice {
        try await self.faults.row("loose") { () throws(MetadataError) in
            try await self.ledger.loose(in: repository, after: path, before: moment, limit: limit)
        }
    }
    func unnamed(_ parts: [LoosePart], in repository: RepositoryID) async throws(MetadataError) -> [LoosePart] {
        try await self.faults.row("unnamed") { () throws(MetadataError) in try await self.ledger.unnamed(parts, in: repository) }
    }
}
