import ArtifactModel
import StorageAPI

/// What a commit looks at under the write lock.
extension SQLStatement {
    /// Gives no row.
    static let never = SQLStatement("SELECT 1 WHERE 1 = 0")

    static func component(_ coordinates: Coordinates, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            SELECT c.id FROM packages p JOIN components c ON c.package_id = p.id
            WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND c.version = $4
            """, repository.values(coordinates))
    }

    /// The same, where no asset of it is lost: what clients see.
    static func presentComponent(_ coordinates: Coordinates, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            SELECT c.id FROM packages p JOIN components c ON c.package_id = p.id
            WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND c.version = $4
            AND NOT EXISTS (SELECT 1 FROM assets a JOIN blobs b ON b.id = a.blob_id WHERE a.component_id = c.id AND b.state <> 0)
            """, repository.values(coordinates))
    }

    static func assetDigest(_ path: AssetPath, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            "SELECT b.sha256 FROM assets a JOIN blobs b ON b.id = a.blob_id WHERE a.repository_id = $1 AND a.path = $2",
            [.integer(repository.number), .text(path.text)])
    }

    /// The same, where the bytes are not lost: what clients see.
    static func presentDigest(_ path: AssetPath, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            "SELECT b.sha256 FROM assets a JOIN blobs b ON b.id = a.blob_id WHERE a.repository_id = $1 AND a.path = $2 AND b.state = 0",
            [.integer(repository.number), .text(path.text)])
    }

    static func assetPaths(of coordinates: Coordinates, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            SELECT a.path FROM packages p JOIN components c ON c.package_id = p.id JOIN assets a ON a.component_id = c.id
            WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND c.version = $4
            """, repository.values(coordinates))
    }

    static func pointerTarget(_ name: PointerName, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            SELECT t.target FROM packages p JOIN pointers t ON t.package_id = p.id
            WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND t.kind = $4 AND t.name = $5
            """, repository.values(name.package) + [.text(name.kind), .text(name.name)])
    }

    static func heldBlob(_ sha256: ContentDigest, in store: BlobStoreID) -> SQLStatement {
        SQLStatement("SELECT id FROM blobs WHERE store_id = $1 AND sha256 = $2 AND state <> 1", [.integer(store.number), .bytes(sha256.bytes)])
    }

    /// There; or lost, and held since: losing a blob ends its leases, so a lease that lasts is younger, and so are the bytes.
    static func sealedBlob(_ blob: StagedBlob, in store: BlobStoreID) -> SQLStatement {
        SQLStatement(
            "SELECT id FROM blobs WHERE store_id = $1 AND sha256 = $2 AND (state = 0 OR (state = 2 AND held_until >= $3))",
            [.integer(store.number), blob.digests.values(.sha256)[0], .integer(blob.heldUntil.milliseconds)])
    }

    /// An asset whose bytes are in this store.
    static func linkable(_ path: AssetPath, in repository: RepositoryID, _ store: BlobStoreID) -> SQLStatement {
        SQLStatement(
            """
            SELECT a.id FROM assets a JOIN blobs b ON b.id = a.blob_id
            WHERE a.repository_id = $1 AND a.path = $2 AND b.store_id = $3 AND b.state = 0
            """, [.integer(repository.number), .text(path.text), .integer(store.number)])
    }

    static func otherBytes(at path: AssetPath, in repository: RepositoryID, than source: AssetPath, in sourceRepository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            SELECT a.id FROM assets a JOIN assets s ON s.repository_id = $1 AND s.path = $2
            WHERE a.repository_id = $3 AND a.path = $4 AND a.blob_id <> s.blob_id
            """, [.integer(sourceRepository.number), .text(source.text), .integer(repository.number), .text(path.text)])
    }
}

extension RepositoryID {
    /// `repository_id`, `namespace`, `name`.
    func values(_ package: PackageName) -> [SQLValue] { [.integer(self.number), .text(package.namespace), .text(package.name)] }
    /// The same and `version`.
    func values(_ coordinates: Coordinates) -> [SQLValue] { self.values(coordinates.package) + [.text(coordinates.version)] }
}

extension PackageName {
    /// What lists show and are ordered by.
    var label: String { self.namespace.isEmpty ? self.name : "\(self.namespace)/\(self.name)" }
}
