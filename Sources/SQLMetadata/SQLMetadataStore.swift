public import ArtifactModel
public import StorageAPI

/// The one metadata store: the same SQL for every database below it.
///
/// `+Assets`, `+Rows`, `+Folders` and `+Commit` are the repositories' content; `+Blobs`, `+Uploads` and `+Repositories` the ledgers.
public struct SQLMetadataStore: Sendable {
    let database: any SQLDatabase
    let ids: IDBlocks

    /// Brings the schema up to what this program knows, in one transaction for each step.
    /// - Parameter program: name and version, kept beside the schema's number.
    /// - Throws: `.corrupt` where the database was written by a newer program.
    public static func open(_ database: any SQLDatabase, program: String, now: Timestamp) async throws(MetadataError) -> SQLMetadataStore {
        try await Migrations(database: database, program: program, now: now).run()
        return SQLMetadataStore(database: database, ids: IDBlocks(database))
    }
}
