import ArtifactModel
public import StorageAPI

extension SQLMetadataStore: AccountLedger {
    public func account(_ name: String) async throws(MetadataError) -> AccountRecord? {
        try await self.database.first(
            SQLStatement(
                "SELECT name, kind, password_hash, epoch, roles, created_at, created_by FROM accounts WHERE name = $1", [.text(name)]),
            AccountRecord.decode)
    }

    public func accounts(after name: String, limit: Int) async throws(MetadataError) -> [AccountRecord] {
        try await self.database.read(
            SQLStatement(
                """
                SELECT name, kind, password_hash, epoch, roles, created_at, created_by FROM accounts WHERE name > $1 ORDER BY name LIMIT $2
                """, [.text(name), .integer(Int64(limit))]), limit: limit, AccountRecord.decode)
    }

    public func add(_ account: AccountRecord) async throws(MetadataError) -> Bool {
        try await self.commit(
            onlyIf: .noRow, Self.named(account.name),
            [
                SQLStatement(
                    """
                    INSERT INTO accounts (name, kind, password_hash, epoch, roles, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
                    """,
                    [
                        .text(account.name), .text(account.kind.rawValue), .text(account.passwordHash), .bytes(account.epoch), .text(Words.text(account.roles)),
                        .integer(account.created.milliseconds), .text(account.createdBy),
                    ])
            ])
    }

    public func change(_ account: AccountRecord) async throws(MetadataError) -> Bool {
        try await self.commit(
            onlyIf: .someRow, Self.named(account.name),
            [
                SQLStatement(
                    "UPDATE accounts SET password_hash = $1, epoch = $2, roles = $3 WHERE name = $4",
                    [.text(account.passwordHash), .bytes(account.epoch), .text(Words.text(account.roles)), .text(account.name)])
            ])
    }

    public func removeAccount(_ name: String) async throws(MetadataError) -> Bool {
        try await self.commit(
            onlyIf: .someRow, Self.named(name),
            [
                SQLStatement("DELETE FROM tokens WHERE owner = $1", [.text(name)]),
                SQLStatement("DELETE FROM accounts WHERE name = $1", [.text(name)]),
            ])
    }

    private static func named(_ name: String) -> SQLStatement { SQLStatement("SELECT name FROM accounts WHERE name = $1", [.text(name)]) }

    /// - Returns: false: the query gave something else, and nothing was changed.
    func commit(onlyIf expectation: SQLExpectation, _ query: SQLStatement, _ statements: [SQLStatement]) async throws(MetadataError) -> Bool {
        do throws(MetadataError) {
            try await self.database.commit([.require(query, expectation, orElse: .refused(.requirement(0)))] + statements.map { .run($0) })
            return true
        } catch {
            guard case .refused = error.code else { throw error }
            return false
        }
    }
}

extension AccountRecord {
    @Sendable fileprivate static func decode(_ row: borrowing SQLRow) throws -> AccountRecord {
        guard let kind = Kind(rawValue: row.text(1)) else { throw MetadataError(.corrupt, "a row has an account of no known kind") }
        return AccountRecord(
            name: row.text(0), kind: kind, passwordHash: row.text(2), epoch: row.bytes(3), roles: Words.list(row.text(4)),
            created: Timestamp(milliseconds: row.integer(5)), createdBy: row.text(6))
    }
}

/// Short words in one column: none of them has a line break.
enum Words {
    static func text(_ words: [String]) -> String { words.joined(separator: "\n") }
    static func list(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }
}
