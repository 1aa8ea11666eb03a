/// The same numbers in every run: SplitMix64.
public struct Dice: RandomNumberGenerator, Sendable {
    private var state: UInt64
    public init(state: UInt64) { self.state = state }

    public mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    public mutating func pick<T>(_ items: [T]) -> T { items[Int.random(in: items.indices, using: &self)] }

    /// A place, as often as its weight says.
    public mutating func place(of weights: [Double]) -> Int {
        var left = Double(self.next() >> 11) / Double(1 << 53) * weights.reduce(0, +)
        for (place, weight) in weights.enumerated() {
            left -= weight
            if left < 0 { return place }
        }
        return weights.count - 1
    }

    /// A few bytes of the text taken out, doubled or replaced.
    public mutating func damaged(_ text: String, _ pieces: [String]) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 0...3, using: &self) where !bytes.isEmpty {
            let at = Int.random(in: bytes.indices, using: &self)
            let end = min(bytes.count, at + Int.random(in: 0...6, using: &self))
            switch Int.random(in: 0...2, using: &self) {
            case 0: bytes.removeSubrange(at..<end)
            case 1: bytes.insert(contentsOf: bytes[at..<end], at: at)
            default: bytes.replaceSubrange(at..<end, with: Array(self.pick(pieces).utf8))
            }
        }
        return bytes
    }
}
