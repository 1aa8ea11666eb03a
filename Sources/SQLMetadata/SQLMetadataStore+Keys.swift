public import ArtifactModel
public import StorageAPI

extension SQLMetadataStore: KeyLedger {
    public func keys(for purpose: String) async throws(MetadataError) -> [KeyRecord] {
        try await self.database.read(
            SQLStatement(
                "SELECT id, purpose, secret, created_at FROM signing_keys WHERE purpose = $1 ORDER BY created_at DESC, id DESC LIMIT 100", [.text(purpose)]),
            limit: 100
        ) { row in
            KeyRecord(id: row.text(0), purpose: row.text(1), secret: row.bytes(2), created: Timestamp(milliseconds: row.integer(3)))
        }
    }

    public func add(_ key: KeyRecord, after newest: String?, dropping oldest: Timestamp) async throws(MetadataError) -> Bool {
        try await self.commit(
            onlyIf: newest.map { .among([.text($0)], orNoRow: false) } ?? .noRow,
            SQLStatement("SELECT id FROM signing_keys WHERE purpose = $1 ORDER BY created_at DESC, id DESC LIMIT 1", [.text(key.purpose)]),
            [
                SQLStatement(
                    "INSERT INTO signing_keys (id, purpose, secret, created_at) VALUES ($1, $2, $3, $4)",
                    [.text(key.id), .text(key.purpose), .bytes(key.secret), .integer(key.created.milliseconds)]),
                SQLStatement("DELETE FROM signing_keys WHERE purpose = $1 AND created_at < $2", [.text(key.purpose), .integer(oldest.milliseconds)]),
            ])
    }

    public func marker(_ name: String) async throws(MetadataError) -> String? {
        try await self.database.first(SQLStatement("SELECT text FROM markers WHERE name = $1", [.text(name)])) { $0.text(0) }
    }

    public func setMarker(_ name: String, _ text: String) async throws(MetadataError) {
        try await self.database.commit([
            .run(
                SQLStatement(
                    "INSERT INTO markers (name, text) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET text = excluded.text", [.text(name), .text(text)]))
        ])
    }
}
