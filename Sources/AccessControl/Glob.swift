public import ArtifactModel

/// A pattern over names and paths: `*` is any run of bytes without a `/`, `**` any run at all; everything else, `?` and `[` included,
/// stands for itself. Matching takes time in proportion to pattern times text, whatever the pattern.
public struct Glob: Hashable, Sendable, CustomStringConvertible {
    /// Longest pattern, in bytes.
    public static let longest = 512

    private enum Token: Hashable, Sendable {
        case byte(UInt8)
        case withinSegment
        case acrossSegments
    }

    public let text: String
    private let tokens: [Token]

    public init(_ text: String) throws(InvalidName) {
        guard (1...Self.longest).contains(text.utf8.count), text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw InvalidName(kind: "pattern", text: text, rule: "1 to \(Self.longest) bytes without control characters; * within a /, ** across")
        }
        self.text = text
        self.tokens = Self.tokens(of: text)
    }

    /// Whether the pattern has no `*` in it, and so matches one text only.
    public var isLiteral: Bool {
        self.tokens.allSatisfy {
            if case .byte = $0 { true } else { false }
        }
    }

    public var description: String { self.text }

    public func matches(_ text: some StringProtocol) -> Bool {
        // Every position in the pattern that the bytes read so far can have led to, at once: no backtracking.
        var reached = [Bool](repeating: false, count: self.tokens.count + 1)
        reached[0] = true
        self.skipStars(&reached)
        for byte in text.utf8 {
            var next = [Bool](repeating: false, count: reached.count)
            var alive = false
            for (position, token) in self.tokens.enumerated() where reached[position] {
                switch token {
                case .byte(let wanted) where wanted == byte: next[position + 1] = true
                case .withinSegment where byte != UInt8(ascii: "/"): next[position] = true
                case .acrossSegments: next[position] = true
                default: continue
                }
                alive = true
            }
            guard alive else { return false }
            self.skipStars(&next)
            reached = next
        }
        return reached[self.tokens.count]
    }

    /// A star may match nothing.
    private func skipStars(_ reached: inout [Bool]) {
        for (position, token) in self.tokens.enumerated() where reached[position] {
            switch token {
            case .byte: continue
            case .withinSegment, .acrossSegments: reached[position + 1] = true
            }
        }
    }

    private static func tokens(of text: String) -> [Token] {
        var out: [Token] = []
        for byte in text.utf8 {
            guard byte == UInt8(ascii: "*") else {
                out.append(.byte(byte))
                continue
            }
            switch out.last {
            case .withinSegment: out[out.count - 1] = .acrossSegments
            case .acrossSegments: continue
            case .byte, nil: out.append(.withinSegment)
            }
        }
        return out
    }
}
