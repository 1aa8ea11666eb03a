public import ArtifactModel
public import StorageAPI

extension SQLMetadataStore {
    public func asset(at path: AssetPath, in repository: RepositoryID) async throws(MetadataError) -> StoredAsset? {
        let query = SQLStatement(
            """
            SELECT b.sha256, b.sha512, b.sha1, b.md5, b.size, a.content_type, a.attributes, a.created_at
            FROM assets a JOIN blobs b ON b.id = a.blob_id
            WHERE a.repository_id = $1 AND a.path = $2 AND b.state = 0
            """, [.integer(repository.number), .text(path.text)])
        return try await self.database.first(query) { row in
            StoredAsset(
                path: path, digests: try row.digests(from: 0), size: row.integer(4), contentType: row.text(5),
                attributes: try Attributes.dictionary(row.text(6)), created: Timestamp(milliseconds: row.integer(7)))
        }
    }

    public func pointer(_ name: PointerName, in repository: RepositoryID) async throws(MetadataError) -> String? {
        let query = SQLStatement(
            """
            SELECT t.target FROM packages p JOIN pointers t ON t.package_id = p.id
            WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND t.kind = $4 AND t.name = $5
            """,
            [.integer(repository.number), .text(name.package.namespace), .text(name.package.name), .text(name.kind), .text(name.name)])
        return try await self.database.first(query) { $0.text(0) }
    }
}

extension SQLRow {
    /// sha256, sha512, sha1 and md5 in four columns; the first is never NULL.
    borrowing func digests(from column: Int) throws(MetadataError) -> [ContentDigest] {
        var digests = [try self.sha256(column)]
        for (offset, algorithm) in [(1, ContentDigest.Algorithm.sha512), (2, .sha1), (3, .md5)] where !self.isNull(column + offset) {
            guard let digest = ContentDigest(algorithm, self.bytes(column + offset)) else { throw Self.wrongLength }
            digests.append(digest)
        }
        return digests
    }

    borrowing func sha256(_ column: Int) throws(MetadataError) -> ContentDigest {
        guard let digest = ContentDigest(.sha256, self.bytes(column)) else { throw Self.wrongLength }
        return digest
    }

    private static var wrongLength: MetadataError { MetadataError(.corrupt, "a row holds a digest of the wrong length") }
}
