import Testing

/// What the language allows and this project does not, or not without a reason beside it.
@Suite struct ForbiddenTests {
    private static var marks: [(name: String, pattern: Regex<Substring>)] {
        [
            ("@unchecked Sendable", #/@unchecked\s+Sendable/#),
            ("nonisolated(unsafe)", #/nonisolated\(unsafe\)/#),
            ("try!", #/\btry!/#),
            ("as!", #/\bas!/#),
            ("try?", #/\btry\?/#),
            ("a bare Task", #/\bTask(?:\.detached)?\s*(?:\([^)]*\)\s*)?\{|\bTask(?:\.init|\.detached)?\s*(?:<[^>]*>)?\(/#),
        ]
    }

    @Test("unsafe marks have their reason in a comment beside them")
    func marksAreExplained() throws {
        for file in try Package.product() {
            for line in Self.unexplained(in: file) { Issue.record("\(line) has no comment that proves it") }
        }
    }

    @Test("a mark is found in code, and a comment on its line or above it explains it")
    func finding() {
        let text = """
            let a = try? b()   // best effort: the collector removes it
            // Sendable because nothing is shared.
            struct C: @unchecked Sendable {}
            let d = "try! as! Task {"
            let e = try? f()

            let g = h as! I
            Task { }
            """
        let found = Self.unexplained(in: SourceFile(path: "A.swift", text: text))
        #expect(found == ["A.swift:5 try?", "A.swift:7 as!", "A.swift:8 a bare Task"])
    }

    @Test("no type and no file is named for having no subject")
    func names() throws {
        let vague = #/\b(?:class|struct|enum|actor|protocol|typealias)\s+\w*(?:Manager|Helper|Helpers|Util|Utils|Utilities|Impl)\b/#
        for file in try Package.everything() {
            for match in file.bare.matches(of: vague) { Issue.record("\(file.path): \(match.output)") }
            #expect(file.path.firstMatch(of: #/(?:Manager|Helpers?|Utils?|Impl)\.swift$/#) == nil, "\(file.path)")
        }
    }

    @Test("nothing is left to do")
    func notes() throws {
        for file in try Package.everything() {
            let code = zip(file.lines, file.withoutComments.split(separator: "\n", omittingEmptySubsequences: false))
            for (number, (line, bare)) in code.enumerated() where line != bare {
                #expect(line.firstMatch(of: #/\b(?:TODO|FIXME|XXX|HACK)\b/#) == nil, "\(file.path):\(number + 1)")
            }
            #expect(!file.path.hasSuffix("/Placeholder.swift"), "\(file.path) stands for nothing any more")
        }
    }

    /// A comment counts on the line itself and on the two above it.
    private static func unexplained(in file: SourceFile) -> [String] {
        let lines = file.lines
        var out: [String] = []
        for (index, bare) in file.bareLines.enumerated() {
            let above = lines[max(0, index - 2)..<index]
            guard !([lines[index]] + above).contains(where: { $0.contains("//") }) else { continue }
            for mark in Self.marks where bare.contains(mark.pattern) { out.append("\(file.path):\(index + 1) \(mark.name)") }
        }
        return out
    }
}
