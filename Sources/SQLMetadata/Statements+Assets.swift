import ArtifactModel
import StorageAPI

extension SQLStatement {
    /// Where the path names equal bytes already, it keeps when and by whom it was created.
    static func putAsset(_ row: AssetRow, _ edit: RepositoryEdit) throws(MetadataError) -> SQLStatement {
        let coordinates: [SQLValue] =
            row.component.map { [.text($0.package.namespace), .text($0.package.name), .text($0.version)] } ?? [.null, .null, .null]
        let sha256 = row.asset.blob.digests.first(.sha256)
        return SQLStatement(
            """
            INSERT INTO assets (id, repository_id, path, content_type, attributes, created_at, created_by, position, edit_id, blob_id, component_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, (SELECT id FROM blobs WHERE store_id = $10 AND sha256 = $11), (
              SELECT c.id FROM packages p JOIN components c ON c.package_id = p.id
              WHERE p.repository_id = $2 AND p.namespace = $12 AND p.name = $13 AND c.version = $14))
            ON CONFLICT (repository_id, path) DO UPDATE SET
              content_type = excluded.content_type, attributes = excluded.attributes, position = excluded.position, edit_id = excluded.edit_id,
              component_id = excluded.component_id, blob_id = excluded.blob_id,
              created_at = CASE WHEN assets.blob_id = excluded.blob_id THEN assets.created_at ELSE excluded.created_at END,
              created_by = CASE WHEN assets.blob_id = excluded.blob_id THEN assets.created_by ELSE excluded.created_by END
            """,
            [
                .integer(row.id), .integer(edit.repository.number), .text(row.asset.path.text), .text(row.asset.contentType),
                .text(try Attributes.text(row.asset.attributes)), .integer(edit.now.milliseconds), .text(edit.principal), .integer(Int64(row.position)),
                .integer(row.editID), .integer(edit.store.number), sha256.map { .bytes($0.bytes) } ?? .null,
            ] + coordinates)
    }

    static func link(_ path: AssetPath, from source: AssetPath, in sourceRepository: RepositoryID, _ id: Int64, _ edit: RepositoryEdit) -> SQLStatement {
        SQLStatement(
            """
            INSERT INTO assets (id, repository_id, path, created_at, created_by, position, edit_id, component_id, blob_id, content_type, attributes)
            SELECT $1, $2, $3, $4, $5, 0, $1, NULL, s.blob_id, s.content_type, s.attributes FROM assets s
            WHERE s.repository_id = $6 AND s.path = $7
            ON CONFLICT (repository_id, path) DO UPDATE SET
              content_type = excluded.content_type, attributes = excluded.attributes, position = 0, edit_id = excluded.edit_id,
              component_id = NULL, blob_id = excluded.blob_id,
              created_at = CASE WHEN assets.blob_id = excluded.blob_id THEN assets.created_at ELSE excluded.created_at END,
              created_by = CASE WHEN assets.blob_id = excluded.blob_id THEN assets.created_by ELSE excluded.created_by END
            """,
            [
                .integer(id), .integer(edit.repository.number), .text(path.text), .integer(edit.now.milliseconds), .text(edit.principal),
                .integer(sourceRepository.number), .text(source.text),
            ])
    }

    static func removeAsset(_ path: AssetPath, in repository: RepositoryID) -> SQLStatement {
        SQLStatement("DELETE FROM assets WHERE repository_id = $1 AND path = $2", [.integer(repository.number), .text(path.text)])
    }

    /// The assets that a component had and, after edit `editID`, has no more.
    static func removeAssets(of coordinates: Coordinates, notOf editID: Int64, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            DELETE FROM assets WHERE component_id = (
              SELECT c.id FROM packages p JOIN components c ON c.package_id = p.id
              WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND c.version = $4)
            AND edit_id <> $5
            """, repository.values(coordinates) + [.integer(editID)])
    }

    /// What was lost is there again: `sealedBlob` has been required before.
    static func findBlob(_ blob: StagedBlob, in store: BlobStoreID) -> SQLStatement {
        SQLStatement(
            "UPDATE blobs SET state = 0, size = $1 WHERE store_id = $2 AND sha256 = $3 AND state = 2",
            [.integer(blob.size), .integer(store.number)] + blob.digests.values(.sha256))
    }

    /// Digests that somebody computed meanwhile; those that are known stay.
    static func addDigests(_ digests: [ContentDigest], in store: BlobStoreID) -> SQLStatement {
        SQLStatement(
            """
            UPDATE blobs SET sha512 = COALESCE(sha512, $1), sha1 = COALESCE(sha1, $2), md5 = COALESCE(md5, $3)
            WHERE store_id = $4 AND sha256 = $5
            """, digests.values(.sha512, .sha1, .md5) + [.integer(store.number)] + digests.values(.sha256))
    }
}

extension [ContentDigest] {
    /// One value for each algorithm, NULL where it was not computed.
    func values(_ algorithms: ContentDigest.Algorithm...) -> [SQLValue] {
        algorithms.map { self.first($0).map { .bytes($0.bytes) } ?? .null }
    }
}
