public import ArtifactModel

/// A pattern over names and paths: `*` is any run of bytes without a `/`, `**` any run at all; everything else, `?` and `[` included,
/// stands for itself. Matching takes time in proportion to pattern times text, whatever the pattern.
public struct Glob: Hashable, Sendable, CustomStringConvertible {
    /// Longest pattern, in bytes.
    public static let longest = 512

    enum Token: Hashable, Sendable {
        case byte(UInt8)
        case withinSegment
        case acrossSegments

        var isByte: Bool {
            if case .byte = self { true } else { false }
        }
    }

    /// What most patterns are, told apart once.
    private enum Shape: Hashable, Sendable { case anything, segment, literal, pattern }

    public let text: String
    private let shape: Shape
    private let machine: GlobMachine

    private init(tokens: [Token], text: String) {
        self.text = text
        self.machine = GlobMachine(tokens)
        self.shape =
            switch tokens {
            case [.acrossSegments]: .anything
            case [.withinSegment]: .segment
            default: tokens.allSatisfy(\.isByte) ? .literal : .pattern
            }
    }

    public init(_ text: String) throws(InvalidName) {
        guard (1...Self.longest).contains(text.utf8.count), text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw InvalidName(kind: "pattern", text: text, rule: "1 to \(Self.longest) bytes without control characters; * within a /, ** across")
        }
        self.init(tokens: Self.tokens(of: text), text: text)
    }

    /// Whether the pattern has no `*` in it, and so matches one text only.
    public var isLiteral: Bool { self.shape == .literal }

    public var description: String { self.text }

    /// `*`, which every repository's name matches.
    public static let any = Glob(tokens: [.withinSegment], text: "*")

    public func matches(_ text: some StringProtocol) -> Bool {
        switch self.shape {
        case .anything: return true
        case .segment: return !text.utf8.contains(UInt8(ascii: "/"))
        case .literal: return self.text.utf8.elementsEqual(text.utf8)
        case .pattern: return self.machine.run(text) == .matched
        }
    }

    /// Whether there is a text that begins so and matches.
    public func mayMatch(beginningWith prefix: some StringProtocol) -> Bool { self.machine.run(prefix) != .dead }

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
