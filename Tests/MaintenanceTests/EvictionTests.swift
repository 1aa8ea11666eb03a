import ArtifactModel
import StorageAPI
import Testing

@testable import Maintenance

/// What a cache holds, as far as the decision looks at it.
private struct Shelf {
    struct Item {
        var name: String
        var size: Int64
        /// In hours.
        var used: Int
        var isComponent = false
        var heldAt: Int?
        var partAt: Int?
        var isInUse = false
        /// What goes with it beside its own size.
        var parts: Int64 = 0
    }

    var items: [Item]
    private(set) var gone: [String] = []
    private(set) var steps = 0

    init(_ items: [Item]) { self.items = items }

    static func hour(_ hour: Int) -> Timestamp { Timestamp(milliseconds: Int64(hour) * 3_600_000) }
    static func name(_ text: String) -> Coordinates { Coordinates(package: PackageName(name: text), version: "1") }

    private func assets(after mark: UseMark?, limit: Int) -> [CachedAsset] {
        let all = self.items.enumerated().map { index, item in
            CachedAsset(
                id: Int64(index), path: AssetPath(checked: item.name), blob: Int64(index), size: item.size, lastUsed: Self.hour(item.used),
                component: item.isComponent ? Self.name(item.name) : nil)
        }
        let order = { (a: UseMark, b: UseMark) in (a.lastUsed, a.asset) < (b.lastUsed, b.asset) }
        return Array(all.sorted { order($0.mark, $1.mark) }.filter { asset in mark.map { order($0, asset.mark) } ?? true }.prefix(limit))
    }

    /// Does what is decided until it is done.
    mutating func evict(bound: Int64, page: Int = 2) -> Int64 {
        let kept = self.items.reduce(0) { $0 + $1.size + $1.parts }
        var eviction = Eviction(kept: kept, bound: bound)
        while self.steps < 10_000 {
            self.steps += 1
            var step = eviction.next()
            if case .weigh(let component) = step {
                let item = self.items.first { Self.name($0.name) == component && $0.isComponent }
                let weight = item.map {
                    Eviction.Weight(lastUsed: Self.hour($0.used), holderUsed: $0.heldAt.map(Self.hour), partUsed: $0.partAt.map(Self.hour), isInUse: $0.isInUse)
                }
                guard let next = eviction.weighed(weight) else { continue }
                step = next
            }
            switch step {
            case .look(let mark):
                let found = self.assets(after: mark, limit: page)
                eviction.found(found, isLast: found.count < page)
            case .probe(let asset): eviction.probed(isFree: self.items.first { $0.name == asset.path.text }?.isInUse == false)
            case .renew(let component, let moment):
                for index in self.items.indices where Self.name(self.items[index].name) == component {
                    self.items[index].used = Int(moment.milliseconds / 3_600_000) + (moment.milliseconds % 3_600_000 > 0 ? 1 : 0)
                }
            case .evict(let component): eviction.freed(self.remove { Self.name($0.name) == component })
            case .remove(let files): eviction.freed(self.remove { item in files.contains { $0.path.text == item.name } })
            case .weigh: break
            case .done: return eviction.kept
            }
        }
        return -1
    }

    private mutating func remove(_ isMeant: (Item) -> Bool) -> Int64 {
        let leaving = self.items.filter(isMeant)
        self.gone += leaving.map(\.name)
        self.items.removeAll(where: isMeant)
        return leaving.reduce(0) { $0 + $1.size + $1.parts }
    }
}

@Suite("What leaves a full cache") struct EvictionTests {
    @Test("nothing at or below the bound, and above it the least used until nine tenths are left", arguments: [1, 2, 3, 50])
    func order(page: Int) {
        let items = (1...10).map { Shelf.Item(name: "f\($0)", size: 10, used: 11 - $0) }
        var full = Shelf(items)
        #expect(full.evict(bound: 100, page: page) == 100 && full.gone.isEmpty && full.steps == 1)
        var over = Shelf(items)
        #expect(over.evict(bound: 95, page: page) == 80)
        #expect(Set(over.gone) == ["f10", "f9"])
        var tiny = Shelf(items)
        #expect(tiny.evict(bound: 1, page: page) == 0)
        #expect(tiny.gone.count == 10)
    }

    @Test("files go many at a time, and no more than must, components one at a time")
    func batches() {
        var files = Shelf((1...500).map { Shelf.Item(name: "f\($0)", size: 1, used: $0) })
        #expect(files.evict(bound: 100, page: 200) == 90)
        #expect(files.steps < 430)
        var mixed = Shelf((1...20).map { Shelf.Item(name: "c\($0)", size: 1, used: $0, isComponent: $0 % 2 == 0, parts: $0 % 2 == 0 ? 9 : 0) })
        #expect(mixed.evict(bound: 50) <= 45)
        #expect(mixed.gone == mixed.gone.sorted { Int($0.dropFirst()) ?? 0 < Int($1.dropFirst()) ?? 0 })
    }

    @Test("what is being read waits, file and component, though it be the oldest")
    func inUse() {
        var shelf = Shelf([
            .init(name: "read", size: 10, used: 1, isInUse: true), .init(name: "image", size: 10, used: 2, isComponent: true, isInUse: true),
            .init(name: "idle", size: 10, used: 3), .init(name: "new", size: 10, used: 4),
        ])
        #expect(shelf.evict(bound: 5) == 20)
        #expect(shelf.gone == ["idle", "new"])
    }

    @Test("what a used index holds counts as used with it, and a component whose parts are read as used when they were")
    func used() {
        var shelf = Shelf([
            .init(name: "child", size: 10, used: 1, isComponent: true, heldAt: 5), .init(name: "lazy", size: 10, used: 2, isComponent: true, partAt: 6),
            .init(name: "old", size: 10, used: 3, isComponent: true), .init(name: "index", size: 10, used: 5, isComponent: true),
        ])
        #expect(shelf.evict(bound: 30) == 20)
        #expect(shelf.gone == ["old", "index"])
    }

    @Test("the order is right again after something was moved up", arguments: [1, 2, 3, 10])
    func moved(page: Int) {
        var shelf = Shelf([
            .init(name: "lazy", size: 10, used: 1, isComponent: true, partAt: 3), .init(name: "a", size: 10, used: 2, isComponent: true),
            .init(name: "b", size: 10, used: 4, isComponent: true), .init(name: "c", size: 10, used: 5, isComponent: true),
        ])
        #expect(shelf.evict(bound: 21, page: page) == 10)
        #expect(shelf.gone == ["a", "lazy", "b"])
    }
}
