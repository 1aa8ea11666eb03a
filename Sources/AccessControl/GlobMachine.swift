/// Runs a pattern over bytes: every position that they can have led to is a bit, and all of them go on at once. Nothing is tried twice, and nothing allocated,
/// so that what somebody writes into a grant costs a word or some for each byte, whatever it is.
struct GlobMachine: Hashable, Sendable {
    enum End: Hashable, Sendable {
        /// Nothing that goes on from here matches.
        case dead
        case alive, matched
    }

    /// 64 positions each; one position more than there are tokens.
    private let words: Int
    private let last: Int
    /// Of each byte, which of `masks` is its own; the one of bytes that the pattern does not have is empty.
    private let classes: [UInt8]
    /// Tokens that are this byte, `words` for each class.
    private let masks: [UInt64]
    private let within: [UInt64]
    private let across: [UInt64]

    init(_ tokens: [Glob.Token]) {
        let words = (tokens.count + 64) / 64
        var (classes, masks) = ([UInt8](repeating: 0, count: 256), [UInt64](repeating: 0, count: words))
        var (within, across) = ([UInt64](repeating: 0, count: words), [UInt64](repeating: 0, count: words))
        for (position, token) in tokens.enumerated() {
            let bit: UInt64 = 1 << UInt64(position % 64)
            switch token {
            case .withinSegment: within[position / 64] |= bit
            case .acrossSegments: across[position / 64] |= bit
            case .byte(let byte):
                // At most 223 other bytes: no pattern has control characters.
                if classes[Int(byte)] == 0 {
                    classes[Int(byte)] = UInt8(masks.count / words)
                    masks += [UInt64](repeating: 0, count: words)
                }
                masks[Int(classes[Int(byte)]) * words + position / 64] |= bit
            }
        }
        (self.words, self.last, self.classes, self.masks, self.within, self.across) = (words, tokens.count, classes, masks, within, across)
    }

    func run(_ text: some StringProtocol) -> End {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: self.words) { reached in
            reached.initialize(repeating: 0)
            reached[0] = 1
            self.skipStars(reached)
            for byte in text.utf8 where !self.step(byte, reached) { return .dead }
            return reached[self.last / 64] >> UInt64(self.last % 64) & 1 == 1 ? .matched : .alive
        }
    }

    /// - Returns: false: no position is left.
    private func step(_ byte: UInt8, _ reached: UnsafeMutableBufferPointer<UInt64>) -> Bool {
        let mask = Int(self.classes[Int(byte)]) * self.words
        let staysInSegment: UInt64 = byte == UInt8(ascii: "/") ? 0 : .max
        var (carry, alive) = (UInt64(0), UInt64(0))
        for word in 0..<self.words {
            let now = reached[word]
            let moved = now & self.masks[mask + word]
            let next = moved << 1 | carry | now & self.across[word] | now & self.within[word] & staysInSegment
            carry = moved >> 63
            reached[word] = next
            alive |= next
        }
        guard alive != 0 else { return false }
        self.skipStars(reached)
        return true
    }

    /// A star may match nothing; no two stand beside each other.
    private func skipStars(_ reached: UnsafeMutableBufferPointer<UInt64>) {
        var carry: UInt64 = 0
        for word in 0..<self.words {
            let stars = reached[word] & (self.within[word] | self.across[word])
            reached[word] |= stars << 1 | carry
            carry = stars >> 63
        }
    }
}
