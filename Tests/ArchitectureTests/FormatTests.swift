import Testing

/// A format is a folder, one word in Package.swift and one line in Formats.swift; the core knows none.
@Suite struct FormatTests {
    private static let names: Set<String> = ["docker", "oci", "maven", "maven2", "npm", "helm"]

    /// The core's few places that must say a format's name, with the reason.
    private static let exceptions: [String: String] = [
        "Sources/Upstream/WellKnownHosts.swift": "hosts of the Internet, which happen to be called so"
    ]

    @Test("no format is named in the core, in identifiers or in strings")
    func coreNamesNoFormat() throws {
        for file in try Package.files(below: "Sources") where file.module != "Entrepot" && Self.exceptions[file.path] == nil {
            for (number, line) in file.withoutComments.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                let found = Set(Self.words(of: line)).intersection(Self.names)
                #expect(found.isEmpty, "\(file.path):\(number + 1) says \(found.sorted().joined(separator: ", "))")
            }
        }
    }

    @Test(
        "identifiers are split at their humps",
        arguments: [
            ("dockerHub", ["docker", "hub"]), ("OCIFormat", ["oci", "format"]), ("association", ["association"]), ("\"npm-local\"", ["npm", "local"]),
            ("parseNPMName", ["parse", "npm", "name"]), ("maven2", ["maven2"]),
        ])
    func humps(_ text: String, _ words: [String]) {
        #expect(Self.words(of: Substring(text)) == words)
    }

    @Test("every plugin folder is compiled in and listed", arguments: try Package.folders(below: "plugins"))
    func registered(_ folder: String) throws {
        let list = try Package.text("Package.swift").firstMatch(of: #/let formats = \[([^\]]*)\]/#)?.output.1
        #expect(list?.contains("\"\(folder)\"") == true, "\(folder) is not in the list of formats in Package.swift")
        #expect(try Package.text("Sources/Entrepot/Formats.swift").contains("import \(folder)Format"), "\(folder) is not in Formats.swift")
        #expect(throws: Never.self, "\(folder) has no README.md") { try Package.text("plugins/\(folder)/README.md") }
    }

    /// Lower-case words: `OCIFormat` gives `oci`, `format`.
    private static func words(of line: Substring) -> [String] {
        line.matches(of: #/[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*/#).map { $0.output.lowercased() }
    }
}
