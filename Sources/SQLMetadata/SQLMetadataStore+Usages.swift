import ArtifactModel
public import StorageAPI

extension SQLMetadataStore: UsageLedger {
    public func note(_ uses: [AssetUse]) async throws(MetadataError) {
        guard !uses.isEmpty else { return }
        try await self.database.commit(
            uses.map { use in
                .run(
                    SQLStatement(
                        """
                        INSERT INTO usages (asset_id, repository_id, last_used_at, downloads)
                        SELECT a.id, a.repository_id, $1, $2 FROM assets a WHERE a.repository_id = $3 AND a.path = $4
                        ON CONFLICT (asset_id) DO UPDATE SET
                          last_used_at = CASE WHEN usages.last_used_at > excluded.last_used_at THEN usages.last_used_at ELSE excluded.last_used_at END,
                          downloads = usages.downloads + excluded.downloads
                        """,
                        [.integer(use.lastUsed.milliseconds), .integer(use.downloads), .integer(use.repository.number), .text(use.path.text)]))
            })
    }
}
