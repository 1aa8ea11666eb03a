public import ArtifactModel
public import StorageAPI

extension SQLMetadataStore: UploadLedger {
    public func open(_ upload: UploadRecord) async throws(MetadataError) {
        try await self.database.commit([
            .run(
                SQLStatement(
                    "INSERT INTO uploads (id, repository_id, scope, owner, state, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
                    [
                        .text(upload.id.text), .integer(upload.repository.number), .text(upload.scope), .text(upload.owner), .bytes([]),
                        .integer(upload.expires.milliseconds),
                    ]))
        ])
    }

    public func upload(_ id: UploadID) async throws(MetadataError) -> UploadRecord? {
        let query = SQLStatement("SELECT id, repository_id, scope, owner, expires_at FROM uploads WHERE id = $1", [.text(id.text)])
        return try await self.database.first(query, UploadRecord.decode)
    }

    public func extend(_ id: UploadID, until: Timestamp) async throws(MetadataError) {
        try await self.database.commit([
            .run(SQLStatement("UPDATE uploads SET expires_at = $1 WHERE id = $2", [.integer(until.milliseconds), .text(id.text)]))
        ])
    }

    public func close(_ id: UploadID) async throws(MetadataError) {
        try await self.database.commitFreeing([.run(SQLStatement("DELETE FROM uploads WHERE id = $1", [.text(id.text)]))])
    }

    public func expired(before now: Timestamp, limit: Int) async throws(MetadataError) -> [UploadRecord] {
        try await self.database.read(
            SQLStatement(
                "SELECT id, repository_id, scope, owner, expires_at FROM uploads WHERE expires_at < $1 ORDER BY expires_at, id LIMIT $2",
                [.integer(now.milliseconds), .integer(Int64(limit))]),
            limit: limit, UploadRecord.decode)
    }
}

extension UploadRecord {
    @Sendable fileprivate static func decode(_ row: borrowing SQLRow) throws -> UploadRecord {
        guard let id = UploadID(row.text(0)) else { throw MetadataError(.corrupt, "a row names an upload that cannot be one") }
        return UploadRecord(
            id: id, repository: RepositoryID(row.integer(1)), scope: row.text(2), owner: row.text(3), expires: Timestamp(milliseconds: row.integer(4)))
    }
}
