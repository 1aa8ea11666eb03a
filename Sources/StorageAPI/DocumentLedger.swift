public import ArtifactModel

/// What documents are composed of, and the clock that says whether one that was composed still holds.
public protocol DocumentLedger: Sendable {
    /// The generation of each, of one moment and in the order asked for: it grows with every commit that changes what the document shows. 0: no
    /// commit has. Read before the fragments, so that a race labels newer bytes with an older generation, and never the other way round.
    func generations(of documents: [DocumentPlace]) async throws(MetadataError) -> [Int64]
    /// What the document is made of, by section and name, without the bytes.
    func fragments(of document: DocumentPlace, after mark: StoredFragment?, limit: Int) async throws(MetadataError) -> [StoredFragment]
    /// The fragments' bytes, in the order asked for; nil: it was replaced or removed since. What a number stands for never changes.
    func bytes(ofFragments numbers: [Int64]) async throws(MetadataError) -> [[UInt8]?]
}

/// A document of a repository.
public struct DocumentPlace: Hashable, Sendable {
    public var repository: RepositoryID
    public var document: DocumentID
    public init(_ repository: RepositoryID, _ document: DocumentID) {
        self.repository = repository
        self.document = document
    }
}

/// A fragment's row. Also its place in the order.
public struct StoredFragment: Hashable, Sendable {
    public var number: Int64
    public var section: String
    public var name: String
    public var sortKey: [UInt8]
    /// In bytes.
    public var length: Int64
    public var slots: [DocumentSlot]
    public init(number: Int64, section: String, name: String, sortKey: [UInt8], length: Int64, slots: [DocumentSlot]) {
        self.number = number
        self.section = section
        self.name = name
        self.sortKey = sortKey
        self.length = length
        self.slots = slots
    }
}
