public import ArtifactModel
public import StorageAPI

extension SQLMetadataStore: CacheLedger {
    public func measure(_ repository: RepositoryID, after path: String, limit: Int) async throws(MetadataError) -> CacheSlice {
        let rows = try await self.database.read(.weights(in: repository, after: path, limit), limit: limit) { row in
            (path: row.text(0), size: row.integer(1), isUnused: row.isNull(2))
        }
        if let last = rows.last, rows.contains(where: \.isUnused) {
            try await self.database.commit([.run(.useAsCreated(in: repository, after: path, to: last.path))])
        }
        return CacheSlice(bytes: rows.reduce(0) { $0 + $1.size }, next: rows.count < limit ? nil : rows.last?.path)
    }

    public func leastRecent(in repository: RepositoryID, after mark: UseMark?, limit: Int) async throws(MetadataError) -> [CachedAsset] {
        try await self.database.read { reader in
            var found: [(asset: CachedAsset, component: Int64?)] = []
            try reader.rows(.leastRecent(in: repository, after: mark, limit), limit: limit) { row in
                found.append((CachedAsset(row), row.isNull(5) ? nil : row.integer(5)))
            }
            return try found.map { asset, component in
                var asset = asset
                asset.component = try component.flatMap { try reader.first(.version(of: $0)) { ($0.integer(0), $0.text(1)) } }.flatMap { package, version in
                    try reader.first(.name(of: package)) {
                        Coordinates(package: PackageName(namespace: $0.text(0), name: $0.text(1)), version: version)
                    }
                }
                return asset
            }
        }
    }

    public func loose(_ paths: [AssetPath], in repository: RepositoryID) async throws(MetadataError) -> [CachedAsset] {
        try await self.database.read { reader in
            try paths.compactMap { path in try reader.first(.looseAsset(path, in: repository)) { CachedAsset($0) } }
        }
    }

    public func component(_ coordinates: Coordinates, in repository: RepositoryID) async throws(MetadataError) -> CachedComponent? {
        try await self.database.read { reader in
            guard let id = try reader.first(.component(coordinates, in: repository), { $0.integer(0) }) else { return nil }
            var component = CachedComponent(coordinates: coordinates, assets: [], links: [], isPointedTo: false)
            try reader.rows(.cachedAssets(of: id), limit: .max) { row in
                var asset = CachedAsset(row)
                asset.component = coordinates
                component.assets.append(asset)
            }
            try reader.rows(SQLStatement("SELECT kind, target FROM edges WHERE component_id = $1", [.integer(id)]), limit: .max) { row in
                component.links.append(CachedComponent.Link(kind: row.text(0), target: row.text(1)))
            }
            component.isPointedTo = try reader.first(.pointerTo(coordinates, in: repository), { $0.integer(0) }) != nil
            return component
        }
    }

    public func holders(
        of target: String, in package: PackageName, kind: String?, _ repository: RepositoryID, limit: Int
    ) async throws(MetadataError) -> [CacheHolder] {
        try await self.database.read(.holders(of: target, in: package, kind: kind, repository, limit), limit: limit) { row in
            CacheHolder(version: row.text(0), lastUsed: row.isNull(1) ? nil : Timestamp(milliseconds: row.integer(1)))
        }
    }

    public func isHeld(_ part: Part, since moment: Timestamp, in repository: RepositoryID) async throws(MetadataError) -> Bool {
        let query = SQLStatement(
            """
            SELECT e.component_id FROM packages p CROSS JOIN edges e CROSS JOIN assets a CROSS JOIN usages u
            WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND e.package_id = p.id AND e.target = $4
            AND a.component_id = e.component_id AND u.asset_id = a.id AND u.last_used_at >= $5 LIMIT 1
            """, repository.values(part.package) + [.text(part.target), .integer(moment.milliseconds)])
        return try await self.database.first(query) { $0.integer(0) } != nil
    }

    public func renew(_ assets: [Int64], to moment: Timestamp) async throws(MetadataError) {
        guard !assets.isEmpty else { return }
        try await self.database.commit(
            assets.map { id in
                .run(
                    SQLStatement(
                        "UPDATE usages SET last_used_at = $1 WHERE asset_id = $2 AND last_used_at < $1", [.integer(moment.milliseconds), .integer(id)]))
            })
    }

    public func released(_ blobs: [Int64], from repository: RepositoryID) async throws(MetadataError) -> Int64 {
        try await self.database.read { reader in
            try Set(blobs).reduce(0) { sum, blob in
                let query = SQLStatement(
                    """
                    SELECT size FROM blobs WHERE id = $1
                    AND NOT EXISTS (SELECT 1 FROM assets a WHERE a.blob_id = blobs.id AND +a.repository_id = $2)
                    """, [.integer(blob), .integer(repository.number)])
                return try sum + (reader.first(query) { $0.integer(0) } ?? 0)
            }
        }
    }
}

extension CachedAsset {
    /// id, path, blob, size, last use.
    fileprivate init(_ row: borrowing SQLRow) {
        self.init(
            id: row.integer(0), path: AssetPath(checked: row.text(1)), blob: row.integer(2), size: row.integer(3),
            lastUsed: Timestamp(milliseconds: row.integer(4)))
    }
}

/// A plus before a column keeps an index away that would be worse than the one that is meant.
extension SQLStatement {
    /// Path, size and last use of assets in the order of their paths; a blob that an older asset of the repository names weighs nothing.
    fileprivate static func weights(in repository: RepositoryID, after path: String, _ limit: Int) -> SQLStatement {
        SQLStatement(
            """
            SELECT a.path, CASE WHEN EXISTS (
              SELECT 1 FROM assets o WHERE o.blob_id = a.blob_id AND o.id < a.id AND +o.repository_id = $1) THEN 0 ELSE b.size END, u.last_used_at
            FROM assets a CROSS JOIN blobs b LEFT JOIN usages u ON u.asset_id = a.id
            WHERE a.repository_id = $1 AND a.path > $2 AND b.id = a.blob_id ORDER BY a.path LIMIT $3
            """, [.integer(repository.number), .text(path), .integer(Int64(limit))])
    }

    fileprivate static func useAsCreated(in repository: RepositoryID, after path: String, to last: String) -> SQLStatement {
        SQLStatement(
            """
            INSERT INTO usages (asset_id, repository_id, last_used_at, downloads)
            SELECT a.id, a.repository_id, a.created_at, 0 FROM assets a WHERE a.repository_id = $1 AND a.path > $2 AND a.path <= $3
            ON CONFLICT (asset_id) DO NOTHING
            """, [.integer(repository.number), .text(path), .text(last)])
    }

    fileprivate static func leastRecent(in repository: RepositoryID, after mark: UseMark?, _ limit: Int) -> SQLStatement {
        SQLStatement(
            """
            SELECT a.id, a.path, a.blob_id, b.size, u.last_used_at, a.component_id FROM usages u CROSS JOIN assets a CROSS JOIN blobs b
            WHERE u.repository_id = $1 AND (u.last_used_at, u.asset_id) > ($2, $3) AND a.id = u.asset_id AND b.id = a.blob_id
            ORDER BY u.last_used_at, u.asset_id LIMIT $4
            """,
            [
                .integer(repository.number), .integer(mark?.lastUsed.milliseconds ?? .min), .integer(mark?.asset ?? .min), .integer(Int64(limit)),
            ])
    }

    /// Each on its own: of few rows, as statistics may say, a join would scan.
    fileprivate static func version(of component: Int64) -> SQLStatement {
        SQLStatement("SELECT package_id, version FROM components WHERE id = $1", [.integer(component)])
    }

    fileprivate static func name(of package: Int64) -> SQLStatement {
        SQLStatement("SELECT namespace, name FROM packages WHERE id = $1", [.integer(package)])
    }

    fileprivate static func looseAsset(_ path: AssetPath, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            SELECT a.id, a.path, a.blob_id, b.size, COALESCE(u.last_used_at, a.created_at)
            FROM assets a CROSS JOIN blobs b LEFT JOIN usages u ON u.asset_id = a.id
            WHERE a.repository_id = $1 AND a.path = $2 AND a.component_id IS NULL AND b.id = a.blob_id
            """, [.integer(repository.number), .text(path.text)])
    }

    fileprivate static func cachedAssets(of component: Int64) -> SQLStatement {
        SQLStatement(
            """
            SELECT a.id, a.path, a.blob_id, b.size, COALESCE(u.last_used_at, a.created_at)
            FROM assets a CROSS JOIN blobs b LEFT JOIN usages u ON u.asset_id = a.id
            WHERE a.component_id = $1 AND b.id = a.blob_id ORDER BY a.position
            """, [.integer(component)])
    }

    fileprivate static func pointerTo(_ coordinates: Coordinates, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            SELECT t.package_id FROM packages p CROSS JOIN pointers t
            WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND t.package_id = p.id AND t.target = $4 LIMIT 1
            """, repository.values(coordinates))
    }

    fileprivate static func holders(of target: String, in package: PackageName, kind: String?, _ repository: RepositoryID, _ limit: Int) -> SQLStatement {
        let key = repository.values(package) + [.text(target)]
        guard let kind else {
            return SQLStatement(
                """
                SELECT e.version, (SELECT MAX(u.last_used_at) FROM assets a CROSS JOIN usages u WHERE a.component_id = e.component_id AND u.asset_id = a.id)
                FROM packages p CROSS JOIN edges e
                WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND e.package_id = p.id AND e.target = $4 LIMIT $5
                """, key + [.integer(Int64(limit))])
        }
        return SQLStatement(
            """
            SELECT e.version, (SELECT MAX(u.last_used_at) FROM assets a CROSS JOIN usages u WHERE a.component_id = e.component_id AND u.asset_id = a.id)
            FROM packages p CROSS JOIN edges e
            WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND e.package_id = p.id AND e.target = $4 AND e.kind = $5 LIMIT $6
            """, key + [.text(kind), .integer(Int64(limit))])
    }
}
