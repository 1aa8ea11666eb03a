import ArtifactModel
import FormatAPI

/// What a document was composed of: equal stamps, equal bytes. Read before the rows, so that a race labels newer rows with an older stamp: one
/// rendering too many, and never an old one. A group's stamp has its members' parts, so that what changes in one is seen by the next GET, unasked.
struct DocumentStamp: Hashable, Sendable {
    struct Part: Hashable, Sendable {
        enum Version: Hashable, Sendable {
            /// Of a hosted repository's document.
            case generation(Int64)
            /// Of the upstream's document, as it is kept.
            case bytes(ContentDigest)
        }
        var repository: RepositoryID
        var version: Version
    }
    /// `DerivedDocument.revision`
    var revision: Int
    /// In the order of the members; those that have nothing are not among them.
    var parts: [Part]
}

/// What one hosted or proxy repository adds to a document, before it is looked into.
struct DocumentPart: Sendable {
    var stamp: DocumentStamp.Part
    var member: RepositoryName
    /// nil where no cache was involved.
    var cache: CacheReport?
    /// - Throws: `DocumentChanged`.
    var read: @Sendable () async throws -> DocumentSource
}

/// An outline and the bytes that it is of.
struct DocumentSource: Sendable {
    var outline: Outline
    var bytes: any ContentSource
}

/// What a document was to be made of is not there any more: it is begun anew.
struct DocumentChanged: Error {}
