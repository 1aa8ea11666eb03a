public import ArtifactModel
public import NIOCore

/// A kind of document that is composed of what several components say of themselves: a packument, an index of charts, a list of versions. The same
/// for all roles: of a hosted repository, of one that has an upstream, and of several in one.
///
/// Composing is copying: nothing of the parts is decoded, so that a document of tens of megabytes costs what reading and writing it costs.
public protocol DerivedDocument: Sendable {
    associatedtype Key: Hashable & Sendable
    associatedtype Scanner: OutlineScanner

    /// Raise it when `compose` or `Scanner` changes what it makes.
    static var revision: Int { get }
    /// Digests of the document beside SHA-256, where its clients ask for them.
    static var computing: Set<ContentDigest.Algorithm> { get }
    /// What fragments and generations of it are stored under.
    static func identifier(_ key: Key) -> DocumentID
    static func contentType(_ key: Key) -> String
    /// The package that it is about, as `owns:` is matched with; nil: several.
    static func name(_ key: Key) -> String?
    /// The package that an entry of it is about, where the document is about several; nil: none that could be owned.
    static func name(of entry: Outline.Entry, _ key: Key) -> String?
    /// What grants speak of, of such an entry: who may read some packages sees their part of the document.
    static func subject(of entry: Outline.Entry, _ key: Key) -> String?
    /// Whether there is such a document where nobody has anything to say in it.
    static func existsEmpty(_ key: Key) -> Bool
    /// Hosted: pointers that are entries of it too, in the section `Outline.pointers`, their target as `sortKey`; whoever moves one touches the document.
    static func pointers(_ key: Key) -> (package: PackageName, kind: String)?
    /// Hosted: the package whose attributes are an entry of it too, in the section `Outline.package`, as `sortKey`; whoever changes them touches the
    /// document.
    static func package(_ key: Key) -> PackageName?
    /// Proxy: the same in the upstream's other forms, with the same sections and names. Where one has changed, the others are asked for again, however
    /// young they are; where only another is kept, an entry is taken from that.
    static func forms(_ key: Key) -> [Key]
    /// Proxy: where the upstream's document is kept, and what the upstream is asked for.
    static func path(_ key: Key) throws -> AssetPath
    static func upstream(_ key: Key) -> UpstreamResource
    static func scanner(_ key: Key) -> Scanner
    /// Proxy: makes of what the upstream sends what is kept, and scanned; nil: it is kept as it came. For documents that are slow to read.
    static func converter(_ key: Key) -> (any DocumentConverter)?
    /// Group: whether a member whose upstream sends what is no such document is left out, whatever `onMemberError` says: one that is in any other trouble is not.
    static var goesOnWithoutBroken: Bool { get }
    /// What else than its rows it shows: equal words, equal bytes of equal rows. Empty: nothing.
    static func variant(_ key: Key) -> String
    /// Pure: no time, no place and nothing at random in it, so that two nodes make the same bytes. Of sources in the order of the members; where two
    /// have an entry of one name, the first one's is meant.
    static func compose(_ sources: [Outline], _ key: Key, into plan: inout DocumentPlan) throws(FormatError)
}

extension DerivedDocument {
    public static var computing: Set<ContentDigest.Algorithm> { [] }
    public static func name(of entry: Outline.Entry, _ key: Key) -> String? { nil }
    public static func subject(of entry: Outline.Entry, _ key: Key) -> String? { self.name(of: entry, key) }
    public static func variant(_ key: Key) -> String { "" }
    public static func existsEmpty(_ key: Key) -> Bool { false }
    public static func pointers(_ key: Key) -> (package: PackageName, kind: String)? { nil }
    public static func package(_ key: Key) -> PackageName? { nil }
    public static func forms(_ key: Key) -> [Key] { [] }
    public static var goesOnWithoutBroken: Bool { false }
    public static func converter(_ key: Key) -> (any DocumentConverter)? { nil }
}

/// Finds what a document of an upstream holds, and where.
public protocol OutlineScanner: Sendable {
    /// Called in order with pieces of 1 byte to 1 MiB, on the pool. What is remembered between calls must not grow with the document.
    /// - Throws: what the bytes are not: they are not kept then, and what was kept before goes on to be served.
    mutating func feed(_ chunk: ByteBuffer, at offset: Int64, into outline: inout Outline) throws(FormatError)
    mutating func finish(into outline: inout Outline) throws(FormatError)
}

/// Writes a document of an upstream anew, in a form that is quick to scan and to copy from. The same bytes make the same bytes.
public protocol DocumentConverter: Sendable {
    /// Called once, on the pool. What is remembered must not grow with the document.
    /// - Parameters:
    ///   - read: fills the space and says how many bytes it got; 0: the end. Waits for the disk.
    ///   - write: takes what comes next. Waits for the disk.
    /// - Throws: what the bytes are not: nothing of them is kept then, and what was kept before goes on to be served.
    func convert(_ read: @escaping (UnsafeMutableRawBufferPointer) throws -> Int, _ write: (ByteBuffer) throws -> Void) throws
}

/// What is asked of a document that may be out of date.
public enum DocumentDemand: Hashable, Sendable {
    case asConfigured
    /// One that does not have this entry is asked for again, whatever `cache.maxAge` says: a version that is newer than the list of them.
    case containing(section: String, name: String)
}

/// One entry of a document.
public struct DocumentEntry: Sendable {
    /// As they stand at the member, slots and all.
    public var bytes: ByteBuffer
    /// What stands in its slots.
    public var originals: [String]
    public var sortKey: [UInt8]
    /// Offsets in `bytes`.
    public var slots: [DocumentSlot]
    /// The hosted or proxy repository that says so.
    public var member: RepositoryName
    public init(bytes: ByteBuffer, originals: [String], sortKey: [UInt8] = [], slots: [DocumentSlot] = [], member: RepositoryName) {
        self.sortKey = sortKey
        self.slots = slots
        self.bytes = bytes
        self.originals = originals
        self.member = member
    }
}
