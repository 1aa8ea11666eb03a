/// A document that is composed of what several components say of themselves: a packument, an index of charts.
public struct DocumentID: Hashable, Sendable {
    /// The format's word: `npm.full`, `helm.index`.
    public var kind: String
    /// Which of its kind: a package's name; empty where there is one. At most 1 KiB.
    public var key: String

    public init(_ kind: String, _ key: String = "") {
        self.kind = kind
        self.key = key
    }

    public static func == (a: Self, b: Self) -> Bool { ByteText.equal(a.key, b.key) && ByteText.equal(a.kind, b.kind) }
    public func hash(into hasher: inout Hasher) {
        ByteText.hash(self.kind, into: &hasher)
        ByteText.hash(self.key, into: &hasher)
    }

    /// How storage names it. A kind has no colon.
    public var text: String { "\(self.kind):\(self.key)" }
}

/// What one component adds to one document of a hosted repository, rendered once, as it is published: what a publish costs does not depend on how
/// many versions there are.
public struct Fragment: Sendable {
    public var document: DocumentID
    /// Part of the document: `versions`, `time`.
    public var section: String
    /// Unique within the section.
    public var name: String
    /// `memcmp` order within the section.
    public var sortKey: [UInt8]
    public var bytes: [UInt8]
    /// In order, apart from each other.
    public var slots: [DocumentSlot]

    public init(of document: DocumentID, section: String, name: String, sortKey: [UInt8] = [], bytes: [UInt8], slots: [DocumentSlot] = []) {
        self.document = document
        self.section = section
        self.name = name
        self.sortKey = sortKey
        self.bytes = bytes
        self.slots = slots
    }
}

/// A place in a document's bytes where `<public base>/<path>` stands instead of what is there: bytes that contain a host are never stored.
public struct DocumentSlot: Hashable, Sendable {
    /// Offsets in the bytes that it is given with.
    public var bytes: Range<Int64>
    /// Below the repository's public address, percent-encoded, without a leading slash.
    public var path: String

    public init(_ bytes: Range<Int64>, path: String) {
        self.bytes = bytes
        self.path = path
    }
}
