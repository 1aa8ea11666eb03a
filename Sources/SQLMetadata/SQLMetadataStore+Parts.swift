public import ArtifactModel
public import StorageAPI

extension SQLMetadataStore: PartLedger {
    public func loose(
        in repository: RepositoryID, after path: String, before moment: Timestamp, limit: Int
    ) async throws(MetadataError) -> LooseSlice {
        // Along the index of paths, filtered here: the bound is on what is looked at, so that no slice takes long.
        let rows = try await self.database.read(
            SQLStatement(
                "SELECT path, component_id, created_at FROM assets WHERE repository_id = $1 AND path > $2 ORDER BY path LIMIT $3",
                [.integer(repository.number), .text(path), .integer(Int64(limit))]),
            limit: limit
        ) { (path: $0.text(0), isLoose: $0.isNull(1), created: Timestamp(milliseconds: $0.integer(2))) }
        return LooseSlice(
            paths: rows.filter { $0.isLoose && $0.created < moment }.map { AssetPath(checked: $0.path) },
            next: rows.count < limit ? nil : rows.last?.path)
    }

    public func unnamed(_ parts: [LoosePart], in repository: RepositoryID) async throws(MetadataError) -> [LoosePart] {
        try await self.database.read { reader in
            try parts.filter { try reader.first(.naming($0.part, in: repository), { $0.integer(0) }) == nil }
        }
    }
}

extension SQLStatement {
    /// An edge of the package that names the part, of whatever kind.
    static func naming(_ part: Part, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            SELECT e.component_id FROM packages p JOIN edges e ON e.package_id = p.id
            WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND e.target = $4 LIMIT 1
            """, repository.values(part.package) + [.text(part.target)])
    }

    /// The asset, where it is in no component and was linked or renewed before `moment`.
    static func loose(_ path: AssetPath, before moment: Timestamp, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            "SELECT id FROM assets WHERE repository_id = $1 AND path = $2 AND component_id IS NULL AND created_at < $3",
            [.integer(repository.number), .text(path.text), .integer(moment.milliseconds)])
    }

    static func renew(_ path: AssetPath, _ edit: RepositoryEdit) -> SQLStatement {
        SQLStatement(
            "UPDATE assets SET created_at = $1 WHERE repository_id = $2 AND path = $3 AND component_id IS NULL AND created_at < $1",
            [.integer(edit.now.milliseconds), .integer(edit.repository.number), .text(path.text)])
    }
}
