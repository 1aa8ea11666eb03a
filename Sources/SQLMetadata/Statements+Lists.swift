import ArtifactModel
import StorageAPI

/// Keyset pages: each is read off one index, from the key after `after`, in its order.
extension SQLStatement {
    static func packages(in repository: RepositoryID, _ page: PageBounds) -> SQLStatement {
        SQLStatement(
            "SELECT label, attributes, created_at FROM packages WHERE repository_id = $1 AND label > $2 ORDER BY label LIMIT $3",
            [.integer(repository.number)] + page.values)
    }

    static func package(_ name: PackageName, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            "SELECT label, attributes, created_at FROM packages WHERE repository_id = $1 AND namespace = $2 AND name = $3", repository.values(name))
    }

    /// A component that grew file by file has several at the first place: the one that came first counts.
    static func components(of package: PackageName, in repository: RepositoryID, _ page: PageBounds) -> SQLStatement {
        SQLStatement(
            """
            SELECT c.version, c.attributes, COALESCE(a.created_at, c.created_at), a.content_type, b.size, b.sha256
            FROM packages p JOIN components c ON c.package_id = p.id
            LEFT JOIN assets a ON a.id = (SELECT x.id FROM assets x WHERE x.component_id = c.id ORDER BY x.position, x.id LIMIT 1)
            LEFT JOIN blobs b ON b.id = a.blob_id
            WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND c.version > $4
            ORDER BY c.version LIMIT $5
            """, repository.values(package) + page.values)
    }

    static func pointers(of package: PackageName, _ kind: String, in repository: RepositoryID, _ page: PageBounds) -> SQLStatement {
        SQLStatement(
            """
            SELECT t.name, t.target, t.updated_at FROM packages p JOIN pointers t ON t.package_id = p.id
            WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND t.kind = $4 AND t.name > $5
            ORDER BY t.name LIMIT $6
            """, repository.values(package) + [.text(kind)] + page.values)
    }

    static func referrers(_ edges: EdgeQuery, in repository: RepositoryID, _ page: PageBounds) -> SQLStatement {
        let key = repository.values(edges.package) + [.text(edges.target.description), .text(edges.kind)]
        if let artifactType = edges.artifactType {
            return SQLStatement(
                """
                SELECT e.version, c.attributes, COALESCE(a.created_at, c.created_at), a.content_type, b.size, b.sha256, e.artifact_type
                FROM packages p JOIN edges e ON e.package_id = p.id JOIN components c ON c.id = e.component_id
                LEFT JOIN assets a ON a.id = (SELECT x.id FROM assets x WHERE x.component_id = c.id ORDER BY x.position, x.id LIMIT 1)
                LEFT JOIN blobs b ON b.id = a.blob_id
                WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND e.target = $4 AND e.kind = $5
                  AND e.artifact_type = $6 AND e.version > $7
                ORDER BY e.version LIMIT $8
                """, key + [.text(artifactType)] + page.values)
        }
        return SQLStatement(
            """
            SELECT e.version, c.attributes, COALESCE(a.created_at, c.created_at), a.content_type, b.size, b.sha256, e.artifact_type
            FROM packages p JOIN edges e ON e.package_id = p.id JOIN components c ON c.id = e.component_id
            LEFT JOIN assets a ON a.id = (SELECT x.id FROM assets x WHERE x.component_id = c.id ORDER BY x.position, x.id LIMIT 1)
            LEFT JOIN blobs b ON b.id = a.blob_id
            WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND e.target = $4 AND e.kind = $5 AND e.version > $6
            ORDER BY e.version LIMIT $7
            """, key + page.values)
    }

    /// The first asset whose path is greater than `path`, in byte order, with what a list shows of it.
    static func asset(after path: String, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            SELECT a.path, a.content_type, a.created_at, b.size, b.sha256 FROM assets a JOIN blobs b ON b.id = a.blob_id
            WHERE a.repository_id = $1 AND a.path > $2 ORDER BY a.path LIMIT 1
            """, [.integer(repository.number), .text(path)])
    }

    /// The same, with `path` itself.
    static func asset(from path: String, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            SELECT a.path, a.content_type, a.created_at, b.size, b.sha256 FROM assets a JOIN blobs b ON b.id = a.blob_id
            WHERE a.repository_id = $1 AND a.path >= $2 ORDER BY a.path LIMIT 1
            """, [.integer(repository.number), .text(path)])
    }
}
