public import ArtifactModel
public import StorageAPI

extension SQLMetadataStore {
    public func upstreamState(of subject: String, in repository: RepositoryID) async throws(MetadataError) -> UpstreamState? {
        let query = SQLStatement(
            "SELECT entity_tag, last_modified, checked_at FROM upstream_states WHERE repository_id = $1 AND subject = $2",
            [.integer(repository.number), .text(subject)])
        return try await self.database.first(query) {
            UpstreamState(subject: subject, entityTag: $0.text(0), lastModified: $0.text(1), checked: Timestamp(milliseconds: $0.integer(2)))
        }
    }

    public func expireUpstreamStates(_ prefix: String, in repository: RepositoryID) async throws(MetadataError) -> Int {
        // The first text that is after all that begin with the prefix: byte-wise, U+10FFFF ends nothing that is stored.
        let range: [SQLValue] = [.integer(repository.number), .text(prefix), .text(prefix + "\u{10FFFF}")]
        let count = try await self.database.first(
            SQLStatement("SELECT COUNT(*) FROM upstream_states WHERE repository_id = $1 AND subject >= $2 AND subject < $3", range)
        ) { Int($0.integer(0)) }
        try await self.database.commit([
            .run(SQLStatement("UPDATE upstream_states SET checked_at = 0 WHERE repository_id = $1 AND subject >= $2 AND subject < $3", range))
        ])
        return count ?? 0
    }
}

extension SQLStatement {
    static func putUpstreamState(_ state: UpstreamState, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            INSERT INTO upstream_states (repository_id, subject, location, entity_tag, last_modified, checked_at)
            VALUES ($1, $2, '', $3, $4, $5)
            ON CONFLICT (repository_id, subject) DO UPDATE SET
              entity_tag = excluded.entity_tag, last_modified = excluded.last_modified, checked_at = excluded.checked_at
            """,
            [
                .integer(repository.number), .text(state.subject), .text(state.entityTag), .text(state.lastModified),
                .integer(state.checked.milliseconds),
            ])
    }
}
