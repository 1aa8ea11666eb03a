public import ArtifactModel
public import StorageAPI

extension SQLMetadataStore: RepositoryLedger {
    public func adopt(stores: [String], now: Timestamp) async throws(MetadataError) -> [String: BlobStoreID] {
        guard !stores.isEmpty else { return [:] }
        let ids = try await self.ids.take(stores.count)
        try await self.database.commit(
            zip(ids, stores).map { id, name in
                .run(SQLStatement("INSERT INTO blob_stores (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", [.integer(id), .text(name)]))
            })
        return try await self.database.read { reader in
            var numbers: [String: BlobStoreID] = [:]
            for name in stores {
                numbers[name] = try reader.first(SQLStatement("SELECT id FROM blob_stores WHERE name = $1", [.text(name)])) { BlobStoreID($0.integer(0)) }
            }
            return numbers
        }
    }

    public func adopt(repositories: [RepositoryDeclaration], now: Timestamp) async throws(MetadataError) -> [RepositoryRecord] {
        guard !repositories.isEmpty else { return [] }
        let known = Dictionary(try await self.repositories().map { ($0.declaration.name, $0) }, uniquingKeysWith: { first, _ in first })
        var ids = try await self.ids.take(repositories.count)
        var records: [RepositoryRecord] = []
        var steps: [SQLStep] = []
        for declaration in repositories {
            if let record = known[declaration.name] {
                try Self.check(declaration, against: record.declaration)
                let changed = record.declaration.configuration != declaration.configuration
                if changed { steps += Self.reconfigure(record, declaration) }
                records.append(RepositoryRecord(id: record.id, declaration: declaration, revision: record.revision + (changed ? 1 : 0)))
            } else {
                let record = RepositoryRecord(id: RepositoryID(ids.removeFirst()), declaration: declaration, revision: 1)
                steps.append(.run(.addRepository(record)))
                records.append(record)
            }
        }
        if !steps.isEmpty { try await self.database.commit(steps) }
        return records
    }

    public func repositories() async throws(MetadataError) -> [RepositoryRecord] {
        // `name > ''` makes it a walk along the index of names.
        let query = SQLStatement(
            """
            SELECT id, name, format, role, store_id, configuration, revision FROM repositories
            WHERE deleted_at IS NULL AND name > '' ORDER BY name
            """)
        return try await self.database.read(query, limit: .max, RepositoryRecord.decode)
    }

    private static func check(_ new: RepositoryDeclaration, against known: RepositoryDeclaration) throws(MetadataError) {
        func refuse(_ what: String, _ old: String, _ new: String, _ name: RepositoryName) -> MetadataError {
            MetadataError(.corrupt, "repository \(name) was made with \(what) \(old), and the configuration says \(new): its content would be misread")
        }
        if known.format != new.format { throw refuse("format", known.format, new.format, new.name) }
        if known.role != new.role { throw refuse("type", known.role.rawValue, new.role.rawValue, new.name) }
        if known.store != new.store { throw refuse("blob store number", "\(known.store.number)", "\(new.store.number)", new.name) }
    }

    private static func reconfigure(_ record: RepositoryRecord, _ declaration: RepositoryDeclaration) -> [SQLStep] {
        [
            .require(
                SQLStatement("SELECT revision FROM repositories WHERE id = $1", [.integer(record.id.number)]),
                .among([.integer(record.revision)], orNoRow: false), orElse: .busy),
            .run(
                SQLStatement(
                    "UPDATE repositories SET configuration = $1, revision = revision + 1 WHERE id = $2",
                    [.text(declaration.configuration), .integer(record.id.number)])),
        ]
    }
}

extension SQLStatement {
    fileprivate static func addRepository(_ record: RepositoryRecord) -> SQLStatement {
        let declaration = record.declaration
        return SQLStatement(
            """
            INSERT INTO repositories (id, name, format, role, store_id, origin, configuration, revision)
            VALUES ($1, $2, $3, $4, $5, 'yaml', $6, $7)
            """,
            [
                .integer(record.id.number), .text(declaration.name.text), .text(declaration.format), .text(declaration.role.rawValue),
                .integer(declaration.store.number), .text(declaration.configuration), .integer(record.revision),
            ])
    }
}

extension RepositoryRecord {
    @Sendable fileprivate static func decode(_ row: borrowing SQLRow) throws -> RepositoryRecord {
        guard let role = Role(rawValue: row.text(3)) else { throw MetadataError(.corrupt, "a repository's row has a role that is none") }
        let declaration = RepositoryDeclaration(
            name: try RepositoryName(row.text(1)), format: row.text(2), role: role, store: BlobStoreID(row.integer(4)), configuration: row.text(5))
        return RepositoryRecord(id: RepositoryID(row.integer(0)), declaration: declaration, revision: row.integer(6))
    }
}
