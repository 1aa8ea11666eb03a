/// Tells Swift's code from its comments and strings. Knows line and nested block comments, strings on one and on many lines, raw
/// strings and interpolation; takes regular expression literals for code.
struct SourceScanner {
    private let input: [UInt8]
    private var at = 0
    private var code: [UInt8] = []
    private var bare: [UInt8] = []

    static func scan(_ text: String) -> (withoutComments: String, bare: String) {
        var scanner = SourceScanner(input: Array(text.utf8))
        scanner.code.reserveCapacity(scanner.input.count)
        scanner.bare.reserveCapacity(scanner.input.count)
        scanner.scanCode(untilParenthesis: false)
        return (String(decoding: scanner.code, as: UTF8.self), String(decoding: scanner.bare, as: UTF8.self))
    }

    private init(input: [UInt8]) { self.input = input }

    private func sees(_ text: StaticString, at offset: Int = 0) -> Bool {
        let start = self.at + offset
        guard start + text.utf8CodeUnitCount <= self.input.count else { return false }
        return text.withUTF8Buffer { wanted in self.input[start..<(start + wanted.count)].elementsEqual(wanted) }
    }

    private enum Kind { case code, string, comment }

    private mutating func take(_ count: Int, as kind: Kind) {
        for _ in 0..<count where self.at < self.input.count {
            let byte = self.input[self.at]
            let blank = byte == UInt8(ascii: "\n") ? byte : UInt8(ascii: " ")
            self.code.append(kind == .comment ? blank : byte)
            self.bare.append(kind == .code ? byte : blank)
            self.at += 1
        }
    }

    /// - Parameter untilParenthesis: within `\(…)`: stop before the parenthesis that closes it.
    private mutating func scanCode(untilParenthesis: Bool) {
        var depth = 0
        while self.at < self.input.count {
            if self.sees("//") {
                while self.at < self.input.count, !self.sees("\n") { self.take(1, as: .comment) }
            } else if self.sees("/*") {
                self.scanBlockComment()
            } else if self.sees("\"") || self.sees("#") {
                self.scanString()
            } else {
                if self.sees("(") { depth += 1 }
                if self.sees(")") {
                    if untilParenthesis, depth == 0 { return }
                    depth -= 1
                }
                self.take(1, as: .code)
            }
        }
    }

    private mutating func scanBlockComment() {
        var depth = 0
        repeat {
            if self.sees("/*") {
                depth += 1
                self.take(2, as: .comment)
            } else if self.sees("*/") {
                depth -= 1
                self.take(2, as: .comment)
            } else {
                self.take(1, as: .comment)
            }
        } while depth > 0 && self.at < self.input.count
    }

    private mutating func scanString() {
        var hashes = 0
        while self.sees("#", at: hashes) { hashes += 1 }
        guard self.sees("\"", at: hashes) else {
            self.take(max(hashes, 1), as: .code)
            return
        }
        let long = self.sees("\"\"\"", at: hashes)
        let quotes = long ? 3 : 1
        self.take(hashes + quotes, as: .code)
        while self.at < self.input.count {
            if long ? self.sees("\"\"\"") : self.sees("\""), self.hashes(after: quotes) >= hashes {
                self.take(quotes + hashes, as: .code)
                return
            }
            if !long, self.sees("\n") { return }
            if self.sees("\\"), self.hashes(after: 1) >= hashes {
                self.scanEscape(hashes)
            } else {
                self.take(1, as: .string)
            }
        }
    }

    private mutating func scanEscape(_ hashes: Int) {
        guard self.sees("(", at: 1 + hashes) else {
            self.take(2 + hashes, as: .string)
            return
        }
        self.take(2 + hashes, as: .string)
        self.scanCode(untilParenthesis: true)
        self.take(1, as: .string)
    }

    private func hashes(after offset: Int) -> Int {
        var count = 0
        while self.sees("#", at: offset + count) { count += 1 }
        return count
    }
}
