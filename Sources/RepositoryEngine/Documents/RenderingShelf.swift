import ArtifactModel

/// Which renderings are kept. A value; whoever shares it locks it.
struct RenderingShelf: Sendable {
    struct Place: Hashable, Sendable {
        var repository: RepositoryID
        var document: DocumentID
    }
    struct Key: Hashable, Sendable {
        var place: Place
        var publicBase: String
        /// Without some member of the group: the whole one is not to be lost over it.
        var isPartial: Bool
        /// `DerivedDocument.variant`
        var variant = ""
        /// The same as gzip.
        var isCompressed = false

        var compressed: Key { Key(place: self.place, publicBase: self.publicBase, isPartial: self.isPartial, variant: self.variant, isCompressed: true) }
    }
    private struct Kept: Sendable {
        var stamp: DocumentStamp
        /// nil: nobody has anything to say in it.
        var rendering: Rendering?
    }

    /// Addresses that one document is kept for: a forged `Host` must not fill the disk.
    static let mostBases = 4
    /// Each holds an open file: 256 of them at most where there is 1 GiB for them.
    private static let leastFileCost = 4 << 20

    private var small: LeastRecentlyUsed<Key, Kept>
    private var large: LeastRecentlyUsed<Key, Kept>
    private var bases: LeastRecentlyUsed<Place, [String]>

    /// - Parameters: in bytes.
    init(memory: Int = 64 << 20, disk: Int = 1 << 30) {
        self.small = LeastRecentlyUsed(capacity: memory)
        self.large = LeastRecentlyUsed(capacity: disk)
        self.bases = LeastRecentlyUsed(capacity: 100_000)
    }

    /// Outer nil: there is none of this stamp.
    mutating func rendering(_ key: Key, _ stamp: DocumentStamp) -> Rendering?? {
        guard let kept = self.small.value(of: key) ?? self.large.value(of: key), kept.stamp == stamp else { return nil }
        return .some(kept.rendering)
    }

    mutating func keep(_ rendering: Rendering?, _ key: Key, _ stamp: DocumentStamp) {
        // Of what comes anew, the compressed form that there may be is an older one's.
        self.remove(key)
        let kept = Kept(stamp: stamp, rendering: rendering)
        if let rendering, !rendering.isInMemory {
            self.large.insert(kept, for: key, cost: max(Self.leastFileCost, Int(rendering.size)))
        } else {
            self.small.insert(kept, for: key, cost: 512 + key.publicBase.utf8.count + Int(rendering?.size ?? 0))
        }
        var bases = (self.bases.value(of: key.place) ?? []).filter { $0 != key.publicBase } + [key.publicBase]
        if bases.count > Self.mostBases {
            let oldest = bases.removeFirst()
            for isPartial in [false, true] { self.remove(Key(place: key.place, publicBase: oldest, isPartial: isPartial)) }
        }
        self.bases.insert(bases, for: key.place)
    }

    private mutating func remove(_ key: Key) {
        for key in key.isCompressed ? [key] : [key, key.compressed] {
            self.small.remove(key)
            self.large.remove(key)
        }
    }
}
