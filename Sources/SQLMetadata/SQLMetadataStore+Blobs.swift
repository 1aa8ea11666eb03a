public import ArtifactModel
public import StorageAPI

extension SQLMetadataStore: BlobLedger {
    public func hold(
        _ digests: [ContentDigest], size: Int64, in store: BlobStoreID, now: Timestamp, until: Timestamp
    ) async throws(MetadataError) -> Bool {
        guard let sha256 = digests.first(.sha256) else { throw MetadataError(.io, "a blob is held by its SHA-256, and there is none") }
        let id = try await self.ids.take(1).lowerBound
        do {
            try await self.database.commit([
                .run(
                    SQLStatement(
                        """
                        INSERT INTO blobs (id, store_id, sha256, size, sha512, sha1, md5, created_at, held_until)
                        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                        ON CONFLICT (store_id, sha256) DO UPDATE SET
                          sha512 = COALESCE(blobs.sha512, excluded.sha512), sha1 = COALESCE(blobs.sha1, excluded.sha1),
                          md5 = COALESCE(blobs.md5, excluded.md5),
                          held_until = CASE WHEN blobs.held_until > excluded.held_until THEN blobs.held_until ELSE excluded.held_until END
                        WHERE blobs.state <> 1
                        """,
                        [.integer(id), .integer(store.number), .bytes(sha256.bytes), .integer(size)] + digests.values(.sha512, .sha1, .md5)
                            + [.integer(now.milliseconds), .integer(until.milliseconds)])),
                .require(.heldBlob(sha256, in: store), .someRow, orElse: .blobGone),
            ])
            return true
        } catch {
            guard error.code == .blobGone else { throw error }
            return false
        }
    }

    public func doom(in store: BlobStoreID, after id: Int64, limit: Int, now: Timestamp) async throws(MetadataError) -> DoomedSlice {
        let found = try await self.database.read { reader in try UnreferencedSearch(reader, in: store, after: id, limit: limit, now: now) }
        guard let first = found.ids.first, let last = found.ids.last else { return DoomedSlice(blobs: [], next: found.next) }
        let slice: [SQLValue] = [.integer(first - 1), .integer(last), .integer(store.number)]
        try await self.database.commitFreeing([
            .run(
                SQLStatement(
                    """
                    UPDATE blobs SET state = 1 WHERE id > $1 AND id <= $2 AND +store_id = $3 AND +state <> 1 AND held_until < $4
                    AND NOT EXISTS (SELECT 1 FROM assets a WHERE a.blob_id = blobs.id)
                    """, slice + [.integer(now.milliseconds)]))
        ])
        let doomed = try await self.database.read(
            SQLStatement("SELECT id, sha256, size FROM blobs WHERE id > $1 AND id <= $2 AND +store_id = $3 AND state = 1 ORDER BY id", slice),
            limit: Int.max, DoomedBlob.decode)
        return DoomedSlice(blobs: doomed, next: found.next)
    }

    public func doomed(in store: BlobStoreID, after id: Int64, limit: Int) async throws(MetadataError) -> [DoomedBlob] {
        try await self.database.read(
            SQLStatement(
                "SELECT id, sha256, size FROM blobs WHERE id > $1 AND state = 1 AND +store_id = $2 ORDER BY id LIMIT $3",
                [.integer(id), .integer(store.number), .integer(Int64(limit))]),
            limit: limit, DoomedBlob.decode)
    }

    public func forget(_ ids: [Int64]) async throws(MetadataError) {
        guard !ids.isEmpty else { return }
        try await self.database.commitFreeing(ids.map { .run(SQLStatement("DELETE FROM blobs WHERE id = $1 AND state = 1", [.integer($0)])) })
    }

    public func size(of digest: ContentDigest, in store: BlobStoreID) async throws(MetadataError) -> Int64? {
        let query = SQLStatement(
            "SELECT size FROM blobs WHERE store_id = $1 AND sha256 = $2 AND state = 0", [.integer(store.number), .bytes(digest.bytes)])
        return try await self.database.first(query) { $0.integer(0) }
    }

    public func totals(in store: BlobStoreID) async throws(MetadataError) -> BlobTotals {
        let query = SQLStatement("SELECT COUNT(*), COALESCE(SUM(size), 0) FROM blobs WHERE store_id = $1", [.integer(store.number)])
        return try await self.database.first(query) { BlobTotals(count: $0.integer(0), bytes: $0.integer(1)) } ?? BlobTotals(count: 0, bytes: 0)
    }
}

/// What looks unreferenced before the write lock is taken, which then looks again. Almost all rows are referenced, so almost all of the
/// collector's work is here, where no writer waits for it.
private struct UnreferencedSearch: Sendable {
    /// Rows looked at for each that may be marked: 500 marks are 5,000 rows, some 10 ms of one reader.
    private static let breadth = 10
    var ids: [Int64] = []
    /// Where the next search begins; nil: there are no more rows.
    var next: Int64?

    init(_ reader: any SQLReader, in store: BlobStoreID, after id: Int64, limit: Int, now: Timestamp) throws {
        let most = limit * Self.breadth
        var (seen, last) = (0, id)
        try reader.rows(
            SQLStatement("SELECT id FROM blobs WHERE id > $1 ORDER BY id LIMIT $2", [.integer(id), .integer(Int64(most))]), limit: most
        ) { row in (seen, last) = (seen + 1, row.integer(0)) }
        let query = SQLStatement(
            """
            SELECT id FROM blobs WHERE id > $1 AND id <= $2 AND +store_id = $3 AND +state <> 1 AND held_until < $4
            AND NOT EXISTS (SELECT 1 FROM assets a WHERE a.blob_id = blobs.id) ORDER BY id LIMIT $5
            """, [.integer(id), .integer(last), .integer(store.number), .integer(now.milliseconds), .integer(Int64(limit))])
        try reader.rows(query, limit: limit) { self.ids.append($0.integer(0)) }
        // Cut short by the limit: what is behind the last one found is still to be looked at.
        if self.ids.count == limit { self.next = self.ids.last } else if seen == most { self.next = last }
    }
}

extension DoomedBlob {
    @Sendable fileprivate static func decode(_ row: borrowing SQLRow) throws -> DoomedBlob {
        DoomedBlob(id: row.integer(0), digest: try row.sha256(1), size: row.integer(2))
    }
}
