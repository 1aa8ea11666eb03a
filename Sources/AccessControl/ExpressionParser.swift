/// Reads a regular expression. nil wherever it is none that `LinearExpression` knows.
///
///     choice := sequence ("|" sequence)*     sequence := piece*     piece := atom quantifier?
struct ExpressionParser {
    /// How deep groups may be.
    private static let deepest = 50
    private static let mostRepeats = 1000

    private var rest: ArraySlice<Unicode.Scalar>
    private var ignoresCase = false
    private var depth = 0

    static func tree(of text: String) -> ExpressionTree? {
        var parser = ExpressionParser(rest: Array(text.unicodeScalars)[...])
        guard let tree = parser.choice(), parser.rest.isEmpty else { return nil }
        return tree
    }

    private init(rest: ArraySlice<Unicode.Scalar>) { self.rest = rest }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard self.rest.first == scalar else { return false }
        self.rest.removeFirst()
        return true
    }

    private mutating func choice() -> ExpressionTree? {
        var parts: [ExpressionTree] = []
        repeat {
            guard let part = self.sequence() else { return nil }
            parts.append(part)
        } while self.take("|")
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func sequence() -> ExpressionTree? {
        var parts: [ExpressionTree] = []
        while let next = self.rest.first, next != "|", next != ")" {
            if let isFlag = self.flag() {
                if isFlag { continue } else { return nil }
            }
            guard let atom = self.atom(), let piece = self.quantified(atom) else { return nil }
            parts.append(piece)
        }
        return .sequence(parts)
    }

    /// `(?i)`: to the end of the group. nil: there is none; false: one that is not known.
    private mutating func flag() -> Bool? {
        let head = self.rest.prefix(4)
        guard head.count == 4, head.starts(with: "(?".unicodeScalars), head.last == ")" else { return nil }
        guard head.dropFirst(2).first == "i" else { return false }
        self.rest = self.rest.dropFirst(4)
        self.ignoresCase = true
        return true
    }

    private mutating func quantified(_ atom: ExpressionTree) -> ExpressionTree? {
        var bounds: (least: Int, most: Int?)?
        if self.take("*") { bounds = (0, nil) } else if self.take("+") { bounds = (1, nil) } else if self.take("?") { bounds = (0, 1) }
        if self.rest.first == "{" {
            guard bounds == nil, let counted = self.counts() else { return nil }
            bounds = counted
        }
        guard let bounds else { return atom }
        _ = self.take("?")
        // A second one, or a possessive one.
        if let next = self.rest.first, "*+?{".unicodeScalars.contains(next) { return nil }
        return .repeated(atom, least: bounds.least, most: bounds.most)
    }

    /// `{3}`, `{3,}`, `{3,5}`.
    private mutating func counts() -> (least: Int, most: Int?)? {
        guard self.take("{"), let least = self.number() else { return nil }
        if self.take("}") { return (least, least) }
        guard self.take(",") else { return nil }
        if self.take("}") { return (least, nil) }
        guard let most = self.number(), most >= least, self.take("}") else { return nil }
        return (least, most)
    }

    private mutating func number() -> Int? {
        let digits = self.rest.prefix { (48...57).contains($0.value) }
        self.rest = self.rest.dropFirst(digits.count)
        guard (1...4).contains(digits.count), let number = Int(String(String.UnicodeScalarView(digits))), number <= Self.mostRepeats else { return nil }
        return number
    }

    private mutating func atom() -> ExpressionTree? {
        guard let scalar = self.rest.popFirst() else { return nil }
        switch scalar {
        case "^": return .start
        case "$": return .end
        case ".": return .scalar(ScalarSet(ranges: [10...10], isInverted: true))
        case "(": return self.group()
        case "[": return self.set().map(ExpressionTree.scalar)
        case "\\":
            if self.take("A") { return .start }
            if self.take("z") || self.take("Z") { return .end }
            return self.escape().map(ExpressionTree.scalar)
        case "*", "+", "?", "{", "}", ")", "]": return nil
        default: return .scalar(self.literal(scalar))
        }
    }

    private func literal(_ scalar: Unicode.Scalar) -> ScalarSet {
        ScalarSet(ranges: [scalar.value...scalar.value], ignoresCase: self.ignoresCase)
    }

    /// `(…)`, `(?:…)`, `(?i:…)`, `(?<name>…)`.
    private mutating func group() -> ExpressionTree? {
        self.depth += 1
        let outer = self.ignoresCase
        defer {
            self.depth -= 1
            self.ignoresCase = outer
        }
        guard self.depth <= Self.deepest else { return nil }
        if self.take("?") {
            if self.take("<") {
                let name = self.rest.prefix { $0.properties.isAlphabetic || (48...57).contains($0.value) || $0 == "_" }
                guard !name.isEmpty else { return nil }
                self.rest = self.rest.dropFirst(name.count)
                guard self.take(">") else { return nil }
            } else {
                if self.take("i") { self.ignoresCase = true }
                guard self.take(":") else { return nil }
            }
        }
        guard let inner = self.choice(), self.take(")") else { return nil }
        return inner
    }

    // MARK: Classes

    private static let digits: [ClosedRange<UInt32>] = [48...57]
    private static let word: [ClosedRange<UInt32>] = [48...57, 65...90, 95...95, 97...122]
    private static let space: [ClosedRange<UInt32>] = [9...13, 32...32]

    /// What follows a backslash.
    private mutating func escape() -> ScalarSet? {
        guard let scalar = self.rest.popFirst() else { return nil }
        switch scalar {
        case "d": return ScalarSet(ranges: Self.digits)
        case "D": return ScalarSet(ranges: Self.digits, isInverted: true)
        case "w": return ScalarSet(ranges: Self.word)
        case "W": return ScalarSet(ranges: Self.word, isInverted: true)
        case "s": return ScalarSet(ranges: Self.space)
        case "S": return ScalarSet(ranges: Self.space, isInverted: true)
        case "t": return ScalarSet(ranges: [9...9])
        case "n": return ScalarSet(ranges: [10...10])
        case "r": return ScalarSet(ranges: [13...13])
        default:
            // Letters and digits mean something elsewhere: back-references, word boundaries, properties.
            guard scalar.isASCII, !scalar.properties.isAlphabetic, !(48...57).contains(scalar.value) else { return nil }
            return self.literal(scalar)
        }
    }

    /// `[a-z\d_]`, `[^/]`. No unions, intersections or named classes.
    private mutating func set() -> ScalarSet? {
        var set = ScalarSet(isInverted: self.take("^"), ignoresCase: self.ignoresCase)
        var isFirst = true
        while let scalar = self.rest.popFirst() {
            if scalar == "]", !isFirst { return set }
            isFirst = false
            guard let low = self.member(scalar) else { return nil }
            if self.rest.first == "-", let after = self.rest.dropFirst().first, after != "]" {
                self.rest.removeFirst(2)
                guard let high = self.member(after), let first = low.single, let last = high.single, first <= last else { return nil }
                set.ranges.append(first...last)
            } else {
                set.ranges += low.ranges
            }
        }
        return nil
    }

    private mutating func member(_ scalar: Unicode.Scalar) -> ScalarSet? {
        guard scalar != "[", !(scalar == "&" && self.rest.first == "&") else { return nil }
        guard scalar == "\\" else { return self.literal(scalar) }
        guard let set = self.escape(), !set.isInverted else { return nil }
        return set
    }
}

extension ScalarSet {
    /// The one character that is in it; nil: several.
    fileprivate var single: UInt32? {
        guard self.ranges.count == 1, let range = self.ranges.first, range.lowerBound == range.upperBound else { return nil }
        return range.lowerBound
    }
}
