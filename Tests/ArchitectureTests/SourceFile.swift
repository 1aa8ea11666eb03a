import Foundation

/// A Swift source of this package, as text and with what is not code taken out.
struct SourceFile: Sendable {
    /// Below the package's root, with slashes.
    let path: String
    let text: String
    /// As `text`, with comments blanked; strings stay. Same number of lines.
    let withoutComments: String
    /// As `withoutComments`, with the contents of strings blanked too.
    let bare: String

    var lines: [Substring] { self.text.split(separator: "\n", omittingEmptySubsequences: false) }
    var bareLines: [Substring] { self.bare.split(separator: "\n", omittingEmptySubsequences: false) }
    var lineCount: Int { self.lines.count - (self.text.hasSuffix("\n") ? 1 : 0) }

    /// `Sources/<module>/…` and `plugins/<format>/Sources/…`; nil for anything else.
    var module: String? {
        let parts = self.path.split(separator: "/")
        if parts.count > 2, parts[0] == "Sources" { return String(parts[1]) }
        if parts.count > 3, parts[0] == "plugins", parts[2] == "Sources" { return "\(parts[1])Format" }
        return nil
    }

    var imports: [String] {
        let pattern =
            #/(?m)^[ \t]*(?:@\w+(?:\([^)]*\))?[ \t]+)*(?:(?:public|package|internal|fileprivate|private)[ \t]+)?import[ \t]+(?:(?:struct|enum|class|protocol|func|var|let|typealias)[ \t]+)?(\w+)/#
        return self.bare.matches(of: pattern).map { String($0.output.1) }
    }

    init(path: String, text: String) {
        self.path = path
        self.text = text
        (self.withoutComments, self.bare) = SourceScanner.scan(text)
    }
}

/// Where the sources are.
enum Package {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) throws -> String { try String(contentsOf: self.root.appending(path: path), encoding: .utf8) }

    static func folders(below path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(at: self.root.appending(path: path), includingPropertiesForKeys: [.isDirectoryKey])
            .filter { try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true }
            .map(\.lastPathComponent).sorted()
    }

    static func files(below folder: String) throws -> [SourceFile] {
        guard let walk = FileManager.default.enumerator(atPath: self.root.appending(path: folder).path) else { return [] }
        let paths = walk.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.sorted()
        return try paths.map { SourceFile(path: "\(folder)/\($0)", text: try self.text("\(folder)/\($0)")) }
    }

    /// What is shipped: the modules and the plugins, without tests.
    static func product() throws -> [SourceFile] { try (self.files(below: "Sources") + self.files(below: "plugins")).filter { $0.module != nil } }

    static func everything() throws -> [SourceFile] {
        try self.files(below: "Sources") + self.files(below: "plugins") + self.files(below: "Tests")
    }
}
