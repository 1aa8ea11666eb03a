import ArtifactModel
import StorageAPI

extension SQLStatement {
    /// The package's row, where there is none yet.
    static func addPackage(_ package: PackageName, _ id: Int64, _ edit: RepositoryEdit) -> SQLStatement {
        SQLStatement(
            """
            INSERT INTO packages (id, repository_id, namespace, name, label, attributes, created_at) VALUES ($1, $2, $3, $4, $5, '{}', $6)
            ON CONFLICT (repository_id, namespace, name) DO NOTHING
            """, [.integer(id)] + edit.repository.values(package) + [.text(package.label), .integer(edit.now.milliseconds)])
    }

    static func setPackage(_ package: PackageName, _ attributes: String, _ id: Int64, _ edit: RepositoryEdit) -> SQLStatement {
        SQLStatement(
            """
            INSERT INTO packages (id, repository_id, namespace, name, label, attributes, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (repository_id, namespace, name) DO UPDATE SET attributes = excluded.attributes
            """, [.integer(id)] + edit.repository.values(package) + [.text(package.label), .text(attributes), .integer(edit.now.milliseconds)])
    }

    /// RFC 7396, by SQLite's own function. It takes out what the patch says is null, of a new package's attributes too.
    static func patchPackage(_ package: PackageName, _ patch: String, _ id: Int64, _ edit: RepositoryEdit) -> SQLStatement {
        SQLStatement(
            """
            INSERT INTO packages (id, repository_id, namespace, name, label, attributes, created_at)
            VALUES ($1, $2, $3, $4, $5, json_patch('{}', $6), $7)
            ON CONFLICT (repository_id, namespace, name) DO UPDATE SET attributes = json_patch(packages.attributes, $6)
            """, [.integer(id)] + edit.repository.values(package) + [.text(package.label), .text(patch), .integer(edit.now.milliseconds)])
    }

    /// A component that is put anew keeps when and by whom it was created.
    /// - Parameter extending: attributes that other files of it brought stay. RFC 7396, by SQLite's own function.
    static func putComponent(_ component: Component, _ id: Int64, _ edit: RepositoryEdit, extending: Bool = false) -> SQLStatement {
        SQLStatement(
            """
            INSERT INTO components (id, version, sort_key, attributes, created_at, created_by, repository_id, package_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7, (SELECT id FROM packages WHERE repository_id = $7 AND namespace = $8 AND name = $9))
            ON CONFLICT (package_id, version) DO UPDATE SET sort_key = excluded.sort_key,
              attributes = CASE WHEN $10 = 1 THEN json_patch(components.attributes, excluded.attributes) ELSE excluded.attributes END
            """,
            [
                .integer(id), .text(component.coordinates.version), .bytes(component.sortKey), .text(component.attributes),
                .integer(edit.now.milliseconds), .text(edit.principal),
            ] + edit.repository.values(component.coordinates.package) + [.integer(extending ? 1 : 0)])
    }

    /// Assets and edges go with it.
    static func removeComponent(_ coordinates: Coordinates, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            DELETE FROM components
            WHERE package_id = (SELECT id FROM packages WHERE repository_id = $1 AND namespace = $2 AND name = $3) AND version = $4
            """, repository.values(coordinates))
    }

    /// A package that nothing is left of, neither component nor pointer nor attributes of its own, is not listed any longer.
    static func removePackage(ifEmpty package: PackageName, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            DELETE FROM packages WHERE repository_id = $1 AND namespace = $2 AND name = $3 AND attributes = '{}'
              AND NOT EXISTS (SELECT 1 FROM components c WHERE c.package_id = packages.id)
              AND NOT EXISTS (SELECT 1 FROM pointers t WHERE t.package_id = packages.id)
            """, repository.values(package))
    }

    static func removeEdges(of coordinates: Coordinates, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            DELETE FROM edges WHERE component_id = (
              SELECT c.id FROM packages p JOIN components c ON c.package_id = p.id
              WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND c.version = $4)
            """, repository.values(coordinates))
    }

    /// An image may name one layer twice: that is one edge.
    static func putEdge(_ edge: Edge, of coordinates: Coordinates, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            INSERT INTO edges (kind, target, artifact_type, component_id, package_id, version)
            SELECT $1, $2, $3, c.id, p.id, c.version FROM packages p JOIN components c ON c.package_id = p.id
            WHERE p.repository_id = $4 AND p.namespace = $5 AND p.name = $6 AND c.version = $7
            ON CONFLICT (component_id, kind, target) DO NOTHING
            """, [.text(edge.kind), .text(edge.target.description), .text(edge.artifactType)] + repository.values(coordinates))
    }

    static func removePointers(to coordinates: Coordinates, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            DELETE FROM pointers
            WHERE package_id = (SELECT id FROM packages WHERE repository_id = $1 AND namespace = $2 AND name = $3) AND target = $4
            """, repository.values(coordinates))
    }

    static func point(_ name: PointerName, _ target: String, _ edit: RepositoryEdit) -> SQLStatement {
        SQLStatement(
            """
            INSERT INTO pointers (kind, name, target, updated_at, updated_by, package_id)
            VALUES ($1, $2, $3, $4, $5, (SELECT id FROM packages WHERE repository_id = $6 AND namespace = $7 AND name = $8))
            ON CONFLICT (package_id, kind, name)
            DO UPDATE SET target = excluded.target, updated_at = excluded.updated_at, updated_by = excluded.updated_by
            """,
            [.text(name.kind), .text(name.name), .text(target), .integer(edit.now.milliseconds), .text(edit.principal)]
                + edit.repository.values(name.package))
    }

    static func removePointer(_ name: PointerName, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            DELETE FROM pointers
            WHERE package_id = (SELECT id FROM packages WHERE repository_id = $1 AND namespace = $2 AND name = $3) AND kind = $4 AND name = $5
            """, repository.values(name.package) + [.text(name.kind), .text(name.name)])
    }
}
