public import ArtifactModel
public import StorageAPI

extension SQLMetadataStore: TokenLedger {
    public func token(hash: [UInt8]) async throws(MetadataError) -> TokenRecord? {
        let query = SQLStatement(
            """
            SELECT id, owner, name, hash, grants, created_at, created_by, expires_at, revoked_at, last_used_at, last_address
            FROM tokens WHERE hash = $1
            """, [.bytes(hash)])
        return try await self.database.first(query, TokenRecord.decode)
    }

    public func token(id: Int64) async throws(MetadataError) -> TokenRecord? {
        let query = SQLStatement(
            """
            SELECT id, owner, name, hash, grants, created_at, created_by, expires_at, revoked_at, last_used_at, last_address
            FROM tokens WHERE id = $1
            """, [.integer(id)])
        return try await self.database.first(query, TokenRecord.decode)
    }

    public func tokens(of owner: String?, after id: Int64, limit: Int) async throws(MetadataError) -> [TokenRecord] {
        guard let owner else {
            let query = SQLStatement(
                """
                SELECT id, owner, name, hash, grants, created_at, created_by, expires_at, revoked_at, last_used_at, last_address
                FROM tokens WHERE id > $1 ORDER BY id LIMIT $2
                """, [.integer(id), .integer(Int64(limit))])
            return try await self.database.read(query, limit: limit, TokenRecord.decode)
        }
        let query = SQLStatement(
            """
            SELECT id, owner, name, hash, grants, created_at, created_by, expires_at, revoked_at, last_used_at, last_address
            FROM tokens WHERE owner = $1 AND id > $2 ORDER BY id LIMIT $3
            """, [.text(owner), .integer(id), .integer(Int64(limit))])
        return try await self.database.read(query, limit: limit, TokenRecord.decode)
    }

    public func add(_ token: TokenRecord) async throws(MetadataError) -> TokenRecord? {
        var token = token
        token.id = try await self.ids.take(1).lowerBound
        let name = SQLStatement(
            "SELECT 1 FROM tokens WHERE owner = $1 AND name = $2 AND revoked_at IS NULL", [.text(token.owner), .text(token.name)])
        let insert = SQLStatement(
            """
            INSERT INTO tokens (id, owner, name, hash, grants, created_at, created_by, expires_at, revoked_at, last_used_at, last_address)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """,
            [
                .integer(token.id), .text(token.owner), .text(token.name), .bytes(token.hash), .text(try TextList.text(token.grants)),
                .integer(token.created.milliseconds), .text(token.createdBy), .moment(token.expires), .moment(token.revoked), .moment(token.lastUsed),
                .text(token.lastAddress),
            ])
        return try await self.commit(requiring: name, .noRow, [.run(insert)]) ? token : nil
    }

    public func revoke(token id: Int64, at moment: Timestamp) async throws(MetadataError) -> Bool {
        let living = SQLStatement("SELECT 1 FROM tokens WHERE id = $1 AND revoked_at IS NULL", [.integer(id)])
        let update = SQLStatement("UPDATE tokens SET revoked_at = $1 WHERE id = $2", [.integer(moment.milliseconds), .integer(id)])
        return try await self.commit(requiring: living, .someRow, [.run(update)])
    }

    public func note(_ uses: [TokenUse]) async throws(MetadataError) {
        guard !uses.isEmpty else { return }
        try await self.database.commit(
            uses.map { use in
                .run(
                    SQLStatement(
                        """
                        UPDATE tokens SET last_used_at = $1, last_address = $2
                        WHERE id = $3 AND (last_used_at IS NULL OR last_used_at <= $1)
                        """, [.integer(use.at.milliseconds), .text(use.address), .integer(use.token)]))
            })
    }
}

extension SQLValue {
    fileprivate static func moment(_ moment: Timestamp?) -> SQLValue { moment.map { .integer($0.milliseconds) } ?? .null }
}

extension SQLRow {
    fileprivate borrowing func moment(_ column: Int) -> Timestamp? { self.isNull(column) ? nil : Timestamp(milliseconds: self.integer(column)) }
}

extension TokenRecord {
    @Sendable fileprivate static func decode(_ row: borrowing SQLRow) throws -> TokenRecord {
        TokenRecord(
            id: row.integer(0), owner: row.text(1), name: row.text(2), hash: row.bytes(3), grants: try TextList.list(row.text(4)),
            created: Timestamp(milliseconds: row.integer(5)), createdBy: row.text(6), expires: row.moment(7), revoked: row.moment(8),
            lastUsed: row.moment(9), lastAddress: row.text(10))
    }
}
