import Testing

/// Files have one subject: 200 lines are the aim and 400 the end. Functions: 60 lines are a reason to look.
@Suite struct SizeTests {
    @Test("no file is longer than 400 lines")
    func files() throws {
        let files = try Package.everything().sorted { $0.lineCount > $1.lineCount }
        for file in files { #expect(file.lineCount <= 400, "\(file.path) has \(file.lineCount) lines") }
        let long = files.filter { $0.lineCount > 200 }
        if !long.isEmpty { print("over 200 lines: " + long.map { "\($0.path) \($0.lineCount)" }.joined(separator: ", ")) }
    }

    @Test("functions are measured, and the long ones listed")
    func functions() throws {
        var long: [String] = []
        for file in try Package.product() {
            for function in Self.functions(in: file) where function.length > 60 { long.append("\(file.path):\(function.line) \(function.length)") }
        }
        if !long.isEmpty { print("functions over 60 lines: " + long.joined(separator: ", ")) }
    }

    @Test("a function's length is from its first line to its brace")
    func measure() {
        let text = """
            struct A {
                func one() { two() }
                init(
                    b: Int
                ) {
                    if b > 0 {
                        print("}")
                    }
                }
            }
            """
        #expect(Self.functions(in: SourceFile(path: "Sources/A/A.swift", text: text)).map { [$0.line, $0.length] } == [[2, 1], [3, 7]])
    }

    private static func functions(in file: SourceFile) -> [(line: Int, length: Int)] {
        let lines = file.bareLines
        var out: [(line: Int, length: Int)] = []
        for (start, line) in lines.enumerated() where line.contains(#/\bfunc\s+\S+\s*[(<]|\b(?:init|subscript)[?]?\s*[(<]/#) {
            var depth = 0
            var opened = false
            scan: for (offset, text) in lines[start...].enumerated() {
                for character in text.utf8 {
                    if character == UInt8(ascii: "{") {
                        depth += 1
                        opened = true
                    } else if character == UInt8(ascii: "}") {
                        depth -= 1
                    }
                    if depth < 0 || (opened && depth == 0) {
                        if opened, depth == 0 { out.append((start + 1, offset + 1)) }
                        break scan
                    }
                }
            }
        }
        return out
    }
}
