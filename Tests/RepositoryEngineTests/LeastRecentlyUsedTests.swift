import Testing

@testable import RepositoryEngine

@Suite struct LeastRecentlyUsedTests {
    @Test("what was not asked for longest is forgotten first")
    func order() {
        var kept = LeastRecentlyUsed<String, Int>(capacity: 2)
        kept.insert(1, for: "a")
        kept.insert(2, for: "b")
        #expect(kept.value(of: "a") == 1)
        kept.insert(3, for: "c")
        #expect(kept.value(of: "b") == nil)
        #expect(kept.value(of: "a") == 1)
        #expect(kept.value(of: "c") == 3)
    }

    @Test("costs are summed, and one that is larger than all is not kept")
    func costs() {
        var kept = LeastRecentlyUsed<Int, String>(capacity: 10)
        for key in 0..<5 { kept.insert("x", for: key, cost: 3) }
        #expect((0..<5).compactMap { kept.value(of: $0) }.count == 3)
        kept.insert("huge", for: 99, cost: 11)
        #expect(kept.value(of: 99) == nil)
        #expect(kept.value(of: 4) == "x")
    }

    @Test("a thousand random steps agree with a slow list")
    func model() {
        var random = SystemRandomNumberGenerator()
        var kept = LeastRecentlyUsed<Int, Int>(capacity: 8)
        var model: [(key: Int, value: Int)] = []
        for step in 0..<1000 {
            let key = Int.random(in: 0..<16, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                kept.insert(step, for: key)
                model.removeAll { $0.key == key }
                model.append((key, step))
                if model.count > 8 { model.removeFirst() }
            case 1:
                kept.remove(key)
                model.removeAll { $0.key == key }
            default:
                let place = model.firstIndex { $0.key == key }
                #expect(kept.value(of: key) == place.map { model[$0].value })
                if let place { model.append(model.remove(at: place)) }
            }
        }
    }
}
