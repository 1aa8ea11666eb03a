import ArtifactModel
public import StorageAPI

extension SQLMetadataStore: AccountLedger {
    public func account(_ name: String) async throws(MetadataError) -> AccountRecord? {
        let query = SQLStatement(
            "SELECT name, kind, password_hash, epoch, roles, created_at, created_by FROM accounts WHERE name = $1", [.text(name)])
        return try await self.database.first(query, AccountRecord.decode)
    }

    public func accounts(after name: String, limit: Int) async throws(MetadataError) -> [AccountRecord] {
        let query = SQLStatement(
            """
            SELECT name, kind, password_hash, epoch, roles, created_at, created_by FROM accounts
            WHERE name > $1 ORDER BY name LIMIT $2
            """, [.text(name), .integer(Int64(limit))])
        return try await self.database.read(query, limit: limit, AccountRecord.decode)
    }

    public func add(_ account: AccountRecord) async throws(MetadataError) -> Bool {
        let insert = SQLStatement(
            """
            INSERT INTO accounts (name, kind, password_hash, epoch, roles, created_at, created_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                .text(account.name), .text(account.kind.rawValue), .text(account.passwordHash), .bytes(account.epoch),
                .text(try TextList.text(account.roles)), .integer(account.created.milliseconds), .text(account.createdBy),
            ])
        return try await self.commit(requiring: .accountName(account.name), .noRow, [.run(.removeTokens(of: account.name)), .run(insert)])
    }

    public func change(_ name: String, _ change: AccountChange) async throws(MetadataError) -> Bool {
        let update =
            switch change {
            case .password(let hash, let epoch):
                SQLStatement("UPDATE accounts SET password_hash = $1, epoch = $2 WHERE name = $3", [.text(hash), .bytes(epoch), .text(name)])
            case .roles(let roles):
                SQLStatement("UPDATE accounts SET roles = $1 WHERE name = $2", [.text(try TextList.text(roles)), .text(name)])
            }
        return try await self.commit(requiring: .accountName(name), .someRow, [.run(update)])
    }

    public func removeAccount(_ name: String) async throws(MetadataError) -> Bool {
        let remove = SQLStatement("DELETE FROM accounts WHERE name = $1", [.text(name)])
        return try await self.commit(requiring: .accountName(name), .someRow, [.run(.removeTokens(of: name)), .run(remove)], isFreeing: true)
    }

    /// - Returns: false: the requirement did not hold, and nothing was changed.
    func commit(
        requiring query: SQLStatement, _ expectation: SQLExpectation, _ steps: [SQLStep], isFreeing: Bool = false
    ) async throws(MetadataError) -> Bool {
        let refused = MetadataError.Code.refused(.requirement(0))
        let batch = [.require(query, expectation, orElse: refused)] + steps
        do {
            if isFreeing { try await self.database.commitFreeing(batch) } else { try await self.database.commit(batch) }
            return true
        } catch {
            guard error.code == refused else { throw error }
            return false
        }
    }
}

extension SQLStatement {
    fileprivate static func accountName(_ name: String) -> SQLStatement { SQLStatement("SELECT 1 FROM accounts WHERE name = $1", [.text(name)]) }

    fileprivate static func removeTokens(of owner: String) -> SQLStatement { SQLStatement("DELETE FROM tokens WHERE owner = $1", [.text(owner)]) }
}

extension AccountRecord {
    @Sendable fileprivate static func decode(_ row: borrowing SQLRow) throws -> AccountRecord {
        guard let kind = Kind(rawValue: row.text(1)) else { throw MetadataError(.corrupt, "an account's row has a kind that is none") }
        return AccountRecord(
            name: row.text(0), kind: kind, passwordHash: row.text(2), epoch: row.bytes(3), roles: try TextList.list(row.text(4)),
            created: Timestamp(milliseconds: row.integer(5)), createdBy: row.text(6))
    }
}
