public import ArtifactModel
public import StorageAPI

extension SQLMetadataStore: BlobAudit {
    public func blobs(in store: BlobStoreID, after digest: ContentDigest?, limit: Int) async throws(MetadataError) -> [BlobRow] {
        let query = SQLStatement(
            "SELECT id, sha256, size, state, held_until FROM blobs WHERE store_id = $1 AND sha256 > $2 ORDER BY sha256 LIMIT $3",
            [.integer(store.number), .bytes(digest?.bytes ?? []), .integer(Int64(limit))])
        return try await self.database.read(query, limit: limit, BlobRow.decode)
    }

    public func blob(_ digest: ContentDigest, in store: BlobStoreID) async throws(MetadataError) -> BlobRow? {
        let query = SQLStatement(
            "SELECT id, sha256, size, state, held_until FROM blobs WHERE store_id = $1 AND sha256 = $2", [.integer(store.number), .bytes(digest.bytes)])
        return try await self.database.first(query, BlobRow.decode)
    }

    public func referrers(of id: Int64, limit: Int) async throws(MetadataError) -> BlobReferrers {
        let named = SQLStatement(
            "SELECT r.name, a.path FROM assets a JOIN repositories r ON r.id = a.repository_id WHERE a.blob_id = $1 LIMIT $2",
            [.integer(id), .integer(Int64(limit))])
        let places = try await self.database.read(named, limit: limit) { BlobReferrers.Place(repository: $0.text(0), path: $0.text(1)) }
        let counted = SQLStatement("SELECT COUNT(*) FROM assets WHERE blob_id = $1", [.integer(id)])
        return BlobReferrers(count: try await self.database.first(counted) { $0.integer(0) } ?? 0, places: places)
    }

    public func amend(_ id: Int64, _ amendment: BlobAmendment) async throws(MetadataError) {
        let statement =
            switch amendment {
            case .there(let size): SQLStatement("UPDATE blobs SET state = 0, size = $1 WHERE id = $2 AND state <> 1", [.integer(size), .integer(id)])
            case .lost: SQLStatement("UPDATE blobs SET state = 2, held_until = 0 WHERE id = $1 AND state <> 1", [.integer(id)])
            }
        try await self.database.commit([.run(statement)])
    }
}

extension BlobRow {
    @Sendable fileprivate static func decode(_ row: borrowing SQLRow) throws -> BlobRow {
        guard let state = State(rawValue: row.integer(3)) else { throw MetadataError(.corrupt, "a blob's row has a state that this program does not know") }
        return BlobRow(
            id: row.integer(0), digest: try row.sha256(1), size: row.integer(2), state: state, heldUntil: Timestamp(milliseconds: row.integer(4)))
    }
}
