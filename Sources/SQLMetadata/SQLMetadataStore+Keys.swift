public import ArtifactModel
public import StorageAPI

extension SQLMetadataStore: KeyLedger {
    public func keys(for purpose: String) async throws(MetadataError) -> [KeyRecord] {
        let query = SQLStatement(
            "SELECT id, purpose, secret, created_at FROM signing_keys WHERE purpose = $1 ORDER BY created_at DESC, id DESC", [.text(purpose)])
        return try await self.database.read(query, limit: .max) { row in
            KeyRecord(id: row.text(0), purpose: row.text(1), secret: row.bytes(2), created: Timestamp(milliseconds: row.integer(3)))
        }
    }

    public func add(_ key: KeyRecord, after newest: String?, dropping oldest: Timestamp) async throws(MetadataError) -> Bool {
        let seen = SQLStatement("SELECT id FROM signing_keys WHERE purpose = $1 ORDER BY created_at DESC, id DESC LIMIT 1", [.text(key.purpose)])
        let drop = SQLStatement(
            "DELETE FROM signing_keys WHERE purpose = $1 AND created_at < $2", [.text(key.purpose), .integer(oldest.milliseconds)])
        let insert = SQLStatement(
            "INSERT INTO signing_keys (id, purpose, secret, created_at) VALUES ($1, $2, $3, $4)",
            [.text(key.id), .text(key.purpose), .bytes(key.secret), .integer(key.created.milliseconds)])
        return try await self.commit(
            requiring: seen, .among(newest.map { [.text($0)] } ?? [], orNoRow: newest == nil), [.run(drop), .run(insert)])
    }

    public func marker(_ name: String) async throws(MetadataError) -> String? {
        try await self.database.first(SQLStatement("SELECT content FROM markers WHERE name = $1", [.text(name)])) { $0.text(0) }
    }

    public func setMarker(_ name: String, _ text: String) async throws(MetadataError) {
        try await self.database.commit([
            .run(
                SQLStatement(
                    "INSERT INTO markers (name, content) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET content = excluded.content",
                    [.text(name), .text(text)]))
        ])
    }
}
