/// A bounded map that forgets what was not asked for longest. A value; whoever shares it locks it.
///
/// Order is a doubly linked list within an array, so that a hit costs two writes and no allocation.
struct LeastRecentlyUsed<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Node: Sendable {
        var key: Key
        var value: Value
        var cost: Int
        var newer: Int
        var older: Int
    }

    /// The sum of costs that is kept at most.
    let capacity: Int
    private var nodes: [Node] = []
    private var free: [Int] = []
    private var places: [Key: Int] = [:]
    private var cost = 0
    private var newest = -1
    private var oldest = -1

    init(capacity: Int) { self.capacity = capacity }

    mutating func value(of key: Key) -> Value? {
        guard let place = self.places[key] else { return nil }
        if place != self.newest {
            self.unlink(place)
            self.linkAsNewest(place)
        }
        return self.nodes[place].value
    }

    mutating func insert(_ value: Value, for key: Key, cost: Int = 1) {
        self.remove(key)
        guard cost <= self.capacity else { return }
        let node = Node(key: key, value: value, cost: cost, newer: -1, older: -1)
        let place: Int
        if let reused = self.free.popLast() {
            place = reused
            self.nodes[place] = node
        } else {
            place = self.nodes.count
            self.nodes.append(node)
        }
        self.places[key] = place
        self.cost += cost
        self.linkAsNewest(place)
        while self.cost > self.capacity, self.oldest >= 0 { self.remove(self.nodes[self.oldest].key) }
    }

    mutating func remove(_ key: Key) {
        guard let place = self.places.removeValue(forKey: key) else { return }
        self.unlink(place)
        self.cost -= self.nodes[place].cost
        self.free.append(place)
    }

    mutating func removeAll() { self = Self(capacity: self.capacity) }

    private mutating func unlink(_ place: Int) {
        let (newer, older) = (self.nodes[place].newer, self.nodes[place].older)
        if newer >= 0 { self.nodes[newer].older = older } else { self.newest = older }
        if older >= 0 { self.nodes[older].newer = newer } else { self.oldest = newer }
    }

    private mutating func linkAsNewest(_ place: Int) {
        (self.nodes[place].newer, self.nodes[place].older) = (-1, self.newest)
        if self.newest >= 0 { self.nodes[self.newest].newer = place } else { self.oldest = place }
        self.newest = place
    }
}
