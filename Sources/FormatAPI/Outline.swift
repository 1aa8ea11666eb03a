public import ArtifactModel

/// What a document holds and where, without its values: about 100 bytes an entry.
public struct Outline: Sendable {
    public struct Entry: Sendable {
        public var section: String
        public var name: String
        /// What `compose` orders by, or what it refers to.
        public var sortKey: [UInt8]
        /// Offsets in the source's bytes; those of the slots too.
        public var bytes: Range<Int64>
        public var slots: [DocumentSlot]
        public init(section: String, name: String, sortKey: [UInt8] = [], bytes: Range<Int64>, slots: [DocumentSlot] = []) {
            self.section = section
            self.name = name
            self.sortKey = sortKey
            self.bytes = bytes
            self.slots = slots
        }
    }

    /// The section of a hosted repository's pointers.
    public static let pointers = "pointers"
    /// The section of a hosted repository's package, in which one entry without a name has its attributes.
    public static let package = "package"
    /// The section of a hosted repository's document with such a package, in which one entry without a name has its generation, as decimal digits.
    public static let generation = "generation"

    /// In the order of the source. Where a name comes twice in a section, the last one stays, as readers of JSON have it.
    public private(set) var entries: [Entry] = []
    /// Places in `entries`, by section and name.
    private var order: [Int32] = []

    public init() {}

    public mutating func add(_ entry: Entry) { self.entries.append(entry) }

    /// nil: there is none. Of one that is sealed.
    public func entry(_ section: String, _ name: String) -> Entry? {
        var range = 0..<self.order.count
        while !range.isEmpty {
            let middle = (range.lowerBound + range.upperBound) / 2
            let entry = self.entries[Int(self.order[middle])]
            if ByteText.equal(entry.section, section), ByteText.equal(entry.name, name) { return entry }
            if Self.precedes(entry, section, name) { range = (middle + 1)..<range.upperBound } else { range = range.lowerBound..<middle }
        }
        return nil
    }

    /// Once, when all are in it.
    public mutating func seal() {
        var order = Array(Int32(0)..<Int32(self.entries.count))
        let entries = self.entries
        order.sort { a, b in
            let (first, second) = (entries[Int(a)], entries[Int(b)])
            if Self.precedes(first, second.section, second.name) { return true }
            return Self.precedes(second, first.section, first.name) ? false : a < b
        }
        var doubles: Set<Int32> = []
        for (a, b) in zip(order, order.dropFirst()) {
            let (first, second) = (entries[Int(a)], entries[Int(b)])
            if ByteText.equal(first.section, second.section), ByteText.equal(first.name, second.name) { doubles.insert(a) }
        }
        self.order = order
        guard !doubles.isEmpty else { return }
        self.entries = entries.indices.filter { !doubles.contains(Int32($0)) }.map { entries[$0] }
        self.seal()
    }

    /// Those of which `isIncluded` is true.
    public func filter(_ isIncluded: (Entry) -> Bool) -> Outline {
        var part = Outline()
        for entry in self.entries where isIncluded(entry) { part.add(entry) }
        part.seal()
        return part
    }

    /// How much memory it takes, about, in bytes.
    public var cost: Int {
        self.entries.reduce(64) { sum, entry in
            sum + 100 + entry.name.utf8.count + entry.sortKey.count + entry.slots.reduce(0) { $0 + 40 + $1.path.utf8.count }
        }
    }

    private static func precedes(_ entry: Entry, _ section: String, _ name: String) -> Bool {
        if ByteText.equal(entry.section, section) { return ByteText.precedes(entry.name, name) }
        return ByteText.precedes(entry.section, section)
    }
}
