import ArtifactModel
import StorageAPI

/// Decides what leaves a cache that has grown past its bound: what was used longest ago, until nine tenths of the bound are left. A value that asks
/// nobody itself: it is told what there is, and says what to do next.
///
///     looking --page--> weighing, one after the other --none left--> looking, further on
///                          | is used, or comes later: passed over, or moved up
///                          +--> evicting --bytes are gone--> weighing, or done
///     done: little enough is left, or all was looked at
struct Eviction: Sendable {
    enum Step: Hashable, Sendable {
        /// Give what was used longest ago, behind this.
        case look(after: UseMark?)
        /// Say what hangs together with the component.
        case weigh(Coordinates)
        /// Say whether anything names the asset, if it is a part, and whether it is being read.
        case probe(CachedAsset)
        case evict(Coordinates)
        case remove([CachedAsset])
        /// The component was used as late as this by what holds it, or by reads of its parts.
        case renew(Coordinates, to: Timestamp)
        case done
    }

    /// What matters of a component.
    struct Weight: Hashable, Sendable {
        /// Of all its assets the latest.
        var lastUsed: Timestamp
        /// The latest use of what contains it.
        var holderUsed: Timestamp?
        /// The latest use of its parts that no use of a component explains: see `explains`.
        var partUsed: Timestamp?
        var isInUse: Bool
    }

    /// A component whose file was read has its parts read after it. A part's read that comes this soon after the use of a component that names it is that
    /// one's, and tells nothing of the others that share the part.
    static let explains = Duration.seconds(3600)
    /// Files of one transaction.
    static let most = 100

    private(set) var kept: Int64
    private let low: Int64
    private var page: ArraySlice<CachedAsset> = []
    private var mark: UseMark?
    private var isLast = false
    private var files: [CachedAsset] = []
    private var asked: CachedAsset?
    private var hasBegun: Bool

    /// - Parameter kept: in bytes, each blob once.
    /// - Parameter bound: `maxSize`; nothing is done while that much or less is kept.
    init(kept: Int64, bound: Int64) {
        self.kept = kept
        self.low = Self.low(of: bound)
        self.hasBegun = kept > bound
    }

    /// How much is left when an eviction is through.
    static func low(of bound: Int64) -> Int64 { bound - bound / 10 }

    private var isEnough: Bool { !self.hasBegun || self.kept <= self.low }

    mutating func next() -> Step {
        if self.isEnough { return .done }
        // What is gathered goes where it is enough, or where something else comes first.
        if self.gathered >= self.kept - self.low || self.files.count == Self.most { return self.removal() }
        guard let asset = self.page.popFirst() else {
            if !self.files.isEmpty { return self.removal() }
            return self.isLast ? .done : .look(after: self.mark)
        }
        self.mark = asset.mark
        guard let component = asset.component else {
            self.asked = asset
            return .probe(asset)
        }
        if !self.files.isEmpty {
            self.page = [asset] + self.page
            return self.removal()
        }
        self.asked = asset
        return .weigh(component)
    }

    private var gathered: Int64 { self.files.reduce(0) { $0 + $1.size } }

    private mutating func removal() -> Step {
        defer { self.files = [] }
        return .remove(self.files)
    }

    /// - Parameter isLast: there is nothing behind it.
    mutating func found(_ page: [CachedAsset], isLast: Bool) {
        self.page = page[...]
        self.isLast = isLast
    }

    /// - Parameter isFree: nothing names the asset, and nobody reads it.
    mutating func probed(isFree: Bool) {
        if let asked, isFree { self.files.append(asked) }
        self.asked = nil
    }

    /// - Parameter weight: nil: it is gone by now.
    /// - Returns: what to do with it; nil: nothing.
    mutating func weighed(_ weight: Weight?) -> Step? {
        guard let weight, let asked, let component = asked.component else { return nil }
        self.asked = nil
        // What is being read waits for another time; what was used later by another of its files comes with that.
        guard !weight.isInUse, weight.lastUsed <= asked.lastUsed else { return nil }
        // What holds it goes before it, or with it.
        if let used = weight.holderUsed, used >= weight.lastUsed { return self.renewal(of: component, to: used + .milliseconds(1)) }
        if let used = weight.partUsed, used > weight.lastUsed { return self.renewal(of: component, to: used) }
        return .evict(component)
    }

    /// Its place is further on now; where that is within what was looked at already, the page is read anew.
    private mutating func renewal(of component: Coordinates, to moment: Timestamp) -> Step {
        if self.isLast || self.page.last.map({ moment <= $0.lastUsed }) ?? false { (self.page, self.isLast) = ([], false) }
        return .renew(component, to: moment)
    }

    /// - Parameter bytes: that are gone with what was evicted or removed.
    mutating func freed(_ bytes: Int64) { self.kept -= bytes }
}
