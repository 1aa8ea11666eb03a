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
        let places = self.sortedPlaces()
        var doubles: Set<Int32> = []
        for (first, second) in zip(places, places.dropFirst()) where first.isSame(as: second, in: self.entries) { doubles.insert(first.index) }
        self.order = places.map(\.index)
        guard !doubles.isEmpty else { return }
        self.entries = self.entries.indices.filter { !doubles.contains(Int32($0)) }.map { self.entries[$0] }
        self.seal()
    }

    /// By section, name, and their order in the source.
    private func sortedPlaces() -> [Place] {
        var sections: [String] = []
        var last = 0
        var places: [Place] = []
        places.reserveCapacity(self.entries.count)
        for index in self.entries.indices {
            let section = self.entries[index].section
            // A document has few, and most entries follow one of the same.
            if sections.isEmpty || !ByteText.equal(sections[last], section) {
                last = sections.firstIndex { ByteText.equal($0, section) } ?? sections.count
                if last == sections.count { sections.append(section) }
            }
            places.append(Place(section: Int32(last), index: Int32(index), start: Place.start(of: self.entries[index].name)))
        }
        let order = sections.indices.sorted { ByteText.precedes(sections[$0], sections[$1]) }
        var ranks = [Int32](repeating: 0, count: sections.count)
        for (rank, section) in order.enumerated() { ranks[section] = Int32(rank) }
        for at in places.indices { places[at].section = ranks[Int(places[at].section)] }
        places.sort { $0.precedes($1, in: self.entries) }
        return places
    }

    /// An entry's, to sort it by without a look at the entry: most names differ in their first eight bytes.
    private struct Place {
        var section: Int32
        var index: Int32
        var start: UInt64

        /// The first bytes, the first one highest, with zeros behind a shorter name.
        static func start(of name: String) -> UInt64 {
            var start: UInt64 = 0
            var count = 0
            for byte in name.utf8.prefix(8) {
                start = start << 8 | UInt64(byte)
                count += 1
            }
            return count == 0 ? 0 : start << UInt64(8 * (8 - count))
        }

        @inline(__always) func precedes(_ other: Place, in entries: [Entry]) -> Bool {
            if self.section != other.section { return self.section < other.section }
            if self.start != other.start { return self.start < other.start }
            let (name, others) = (entries[Int(self.index)].name, entries[Int(other.index)].name)
            if ByteText.precedes(name, others) { return true }
            return ByteText.precedes(others, name) ? false : self.index < other.index
        }

        func isSame(as other: Place, in entries: [Entry]) -> Bool {
            self.section == other.section && self.start == other.start && ByteText.equal(entries[Int(self.index)].name, entries[Int(other.index)].name)
        }
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
