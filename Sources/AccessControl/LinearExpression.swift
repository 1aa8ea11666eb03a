public import ArtifactModel

/// A regular expression that is looked for in a text in time that grows with pattern times text, whatever either says: there is no backtracking.
///
/// Literals, `.`, classes, `\d \w \s` and their opposites, `^ $ \A \z`, groups, `|`, `* + ? {m,n}` (lazy ones too: whether something is found does
/// not depend on it), and the flag `(?i)` for ASCII. No back-references, look-arounds, possessive quantifiers, `\b` or `\p`.
public struct LinearExpression: Hashable, Sendable, CustomStringConvertible {
    /// In bytes.
    public static let longest = 1024
    /// Counted repetitions are written out.
    static let largest = 2000

    enum Instruction: Hashable, Sendable {
        case scalar(ScalarSet)
        case split(Int, Int)
        case jump(Int)
        case start
        case end
    }

    public let text: String
    private let program: [Instruction]

    public init(_ text: String) throws(InvalidName) {
        let refusal = InvalidName(kind: "pattern", text: text, rule: "a regular expression without back-references and look-arounds")
        guard !text.isEmpty, text.utf8.count <= Self.longest, let tree = ExpressionParser.tree(of: text) else { throw refusal }
        var compiler = ExpressionCompiler()
        compiler.add(tree)
        guard compiler.program.count <= Self.largest else { throw refusal }
        self.text = text
        self.program = compiler.program
    }

    public var description: String { self.text }
    public static func == (a: Self, b: Self) -> Bool { ByteText.equal(a.text, b.text) }
    public func hash(into hasher: inout Hasher) { ByteText.hash(self.text, into: &hasher) }

    /// Whether it matches somewhere in `text`.
    public func isFound(in text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        var current = ExpressionThreads(self.program.count + 1)
        var next = current
        for at in 0...scalars.count {
            // A match may begin anywhere.
            if self.follow(0, at, scalars.count, &current) { return true }
            guard at < scalars.count else { break }
            next.removeAll()
            for place in current.places {
                guard case .scalar(let set) = self.program[place], set.contains(scalars[at]) else { continue }
                if self.follow(place + 1, at + 1, scalars.count, &next) { return true }
            }
            swap(&current, &next)
        }
        return false
    }

    /// Everything that a place leads to without a character.
    /// - Returns: whether that is the end of the pattern.
    private func follow(_ start: Int, _ at: Int, _ length: Int, _ threads: inout ExpressionThreads) -> Bool {
        var waiting = [start]
        while let place = waiting.popLast() {
            guard threads.insert(place) else { continue }
            guard place < self.program.count else { return true }
            switch self.program[place] {
            case .scalar: break
            case .jump(let target): waiting.append(target)
            case .split(let first, let second): waiting += [first, second]
            case .start: if at == 0 { waiting.append(place + 1) }
            case .end: if at == length { waiting.append(place + 1) }
            }
        }
        return false
    }
}

/// Places in the program that the text read so far has led to, each once.
private struct ExpressionThreads {
    private(set) var places: [Int] = []
    private var isThere: [Bool]

    init(_ count: Int) { self.isThere = [Bool](repeating: false, count: count) }

    mutating func insert(_ place: Int) -> Bool {
        guard !self.isThere[place] else { return false }
        self.isThere[place] = true
        self.places.append(place)
        return true
    }

    mutating func removeAll() {
        for place in self.places { self.isThere[place] = false }
        self.places.removeAll(keepingCapacity: true)
    }
}

/// Characters, or all but these.
struct ScalarSet: Hashable, Sendable {
    var ranges: [ClosedRange<UInt32>] = []
    var isInverted = false
    /// Of ASCII letters.
    var ignoresCase = false

    func contains(_ scalar: Unicode.Scalar) -> Bool { self.isIn(scalar.value) != self.isInverted }

    private func isIn(_ value: UInt32) -> Bool {
        if self.ranges.contains(where: { $0.contains(value) }) { return true }
        guard self.ignoresCase, (65...90).contains(value & ~32), value < 128 else { return false }
        return self.ranges.contains { $0.contains(value ^ 32) }
    }
}

indirect enum ExpressionTree: Hashable, Sendable {
    case scalar(ScalarSet)
    case start, end
    case sequence([ExpressionTree])
    case choice([ExpressionTree])
    /// `most` nil: as often as you like.
    case repeated(ExpressionTree, least: Int, most: Int?)
}

private struct ExpressionCompiler {
    private(set) var program: [LinearExpression.Instruction] = []

    mutating func add(_ tree: ExpressionTree) {
        // Larger ones are refused; what is nested is not written out for nothing.
        guard self.program.count <= LinearExpression.largest else { return }
        switch tree {
        case .scalar(let set): self.program.append(.scalar(set))
        case .start: self.program.append(.start)
        case .end: self.program.append(.end)
        case .sequence(let parts): for part in parts { self.add(part) }
        case .choice(let parts): self.add(choice: parts[...])
        case .repeated(let part, let least, let most):
            for _ in 0..<least { self.add(part) }
            if let most { self.add(optional: part, times: most - least) } else { self.add(loop: part) }
        }
    }

    private mutating func add(choice parts: ArraySlice<ExpressionTree>) {
        guard let first = parts.first else { return }
        guard parts.count > 1 else { return self.add(first) }
        let split = self.program.count
        self.program.append(.jump(0))
        self.add(first)
        let jump = self.program.count
        self.program.append(.jump(0))
        self.program[split] = .split(split + 1, self.program.count)
        self.add(choice: parts.dropFirst())
        self.program[jump] = .jump(self.program.count)
    }

    private mutating func add(loop part: ExpressionTree) {
        let split = self.program.count
        self.program.append(.jump(0))
        self.add(part)
        self.program.append(.jump(split))
        self.program[split] = .split(split + 1, self.program.count)
    }

    private mutating func add(optional part: ExpressionTree, times: Int) {
        var splits: [Int] = []
        for _ in 0..<times {
            splits.append(self.program.count)
            self.program.append(.jump(0))
            self.add(part)
        }
        for split in splits { self.program[split] = .split(split + 1, self.program.count) }
    }
}
