public import ArtifactModel
public import StorageAPI

extension SQLMetadataStore: TokenLedger {
    public func token(hash: [UInt8]) async throws(MetadataError) -> TokenRecord? {
        try await self.database.first(
            SQLStatement(
                """
                SELECT id, owner, name, hash, grants, created_at, created_by, expires_at, revoked_at, last_used_at, last_address FROM tokens WHERE hash = $1
                """, [.bytes(hash)]), TokenRecord.decode)
    }

    public func token(id: Int64) async throws(MetadataError) -> TokenRecord? {
        try await self.database.first(
            SQLStatement(
                """
                SELECT id, owner, name, hash, grants, created_at, created_by, expires_at, revoked_at, last_used_at, last_address FROM tokens WHERE id = $1
                """, [.integer(id)]), TokenRecord.decode)
    }

    public func tokens(of owner: String?, after id: Int64, limit: Int) async throws(MetadataError) -> [TokenRecord] {
        let (number, rows) = (SQLValue.integer(id), SQLValue.integer(Int64(limit)))
        let query =
            if let owner {
                SQLStatement(
                    """
                    SELECT id, owner, name, hash, grants, created_at, created_by, expires_at, revoked_at, last_used_at, last_address FROM tokens
                    WHERE owner = $1 AND id > $2 ORDER BY id LIMIT $3
                    """, [.text(owner), number, rows])
            } else {
                SQLStatement(
                    """
                    SELECT id, owner, name, hash, grants, created_at, created_by, expires_at, revoked_at, last_used_at, last_address FROM tokens
                    WHERE id > $1 ORDER BY id LIMIT $2
                    """, [number, rows])
            }
        return try await self.database.read(query, limit: limit, TokenRecord.decode)
    }

    public func add(_ token: TokenRecord) async throws(MetadataError) -> TokenRecord? {
        var token = token
        token.id = try await self.ids.take(1).lowerBound
        let isAdded = try await self.commit(
            onlyIf: .noRow, SQLStatement("SELECT id FROM tokens WHERE owner = $1 AND name = $2 AND revoked_at = 0", [.text(token.owner), .text(token.name)]),
            [
                SQLStatement(
                    """
                    INSERT INTO tokens (id, owner, name, hash, grants, created_at, created_by, expires_at, revoked_at, last_used_at, last_address)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, '')
                    """,
                    [
                        .integer(token.id), .text(token.owner), .text(token.name), .bytes(token.hash), .text(Words.text(token.grants)),
                        .integer(token.created.milliseconds), .text(token.createdBy), .integer(token.expires?.milliseconds ?? 0),
                    ])
            ])
        return isAdded ? token : nil
    }

    public func revoke(token id: Int64, at moment: Timestamp) async throws(MetadataError) -> Bool {
        try await self.commit(
            onlyIf: .someRow, SQLStatement("SELECT id FROM tokens WHERE id = $1 AND revoked_at = 0", [.integer(id)]),
            [SQLStatement("UPDATE tokens SET revoked_at = $1 WHERE id = $2", [.integer(moment.milliseconds), .integer(id)])])
    }

    public func note(_ uses: [TokenUse]) async throws(MetadataError) {
        guard !uses.isEmpty else { return }
        try await self.database.commit(
            uses.map { use in
                .run(
                    SQLStatement(
                        "UPDATE tokens SET last_used_at = $1, last_address = $2 WHERE id = $3 AND last_used_at < $1",
                        [.integer(use.at.milliseconds), .text(use.address), .integer(use.token)]))
            })
    }
}

extension TokenRecord {
    @Sendable fileprivate static func decode(_ row: borrowing SQLRow) throws -> TokenRecord {
        func moment(_ milliseconds: Int64) -> Timestamp? { milliseconds == 0 ? nil : Timestamp(milliseconds: milliseconds) }
        return TokenRecord(
            id: row.integer(0), owner: row.text(1), name: row.text(2), hash: row.bytes(3), grants: Words.list(row.text(4)),
            created: Timestamp(milliseconds: row.integer(5)), createdBy: row.text(6), expires: moment(row.integer(7)), revoked: moment(row.integer(8)),
            lastUsed: moment(row.integer(9)), lastAddress: row.text(10))
    }
}
