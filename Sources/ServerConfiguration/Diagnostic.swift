/// Where something stands in the configuration file. Both count from 1; columns count Unicode scalars.
public struct Position: Hashable, Comparable, Sendable {
    public var line: Int
    public var column: Int
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
    public static func < (a: Self, b: Self) -> Bool { (a.line, a.column) < (b.line, b.column) }
}

/// One thing that is wrong with a configuration, or that its author should know. Never holds a secret.
public struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
    public enum Severity: String, Hashable, Sendable { case error, warning }

    public var severity: Severity
    public var file: String
    /// nil: not about a place in the file, such as an option of the command line.
    public var position: Position?
    /// `repositories.files.type`; empty for the file as a whole.
    public var key: String
    public var message: String
    /// What would be right; empty where that is no list.
    public var allowed: [String]

    public init(_ severity: Severity = .error, file: String, position: Position?, key: String, message: String, allowed: [String] = []) {
        self.severity = severity
        self.file = file
        self.position = position
        self.key = key
        self.message = message
        self.allowed = allowed
    }

    /// One line: `config/entrepot.yaml:12:5: repositories.files.tpye: unknown key (did you mean type?); allowed: format, type`.
    public var description: String {
        let place = self.position.map { "\(self.file):\($0.line):\($0.column): " } ?? "\(self.file): "
        let severity = self.severity == .warning ? "warning: " : ""
        let key = self.key.isEmpty ? "" : "\(self.key): "
        let allowed = self.allowed.isEmpty ? "" : "; allowed: \(self.allowed.joined(separator: ", "))"
        return place + severity + key + self.message + allowed
    }
}

/// Collects what is found while one file is read. Used by one thread, within one call.
final class Findings {
    let file: String
    private(set) var diagnostics: [Diagnostic] = []

    init(file: String) { self.file = file }

    var hasErrors: Bool { self.diagnostics.contains { $0.severity == .error } }

    func error(_ position: Position?, _ key: String, _ message: String, allowed: [String] = []) {
        self.diagnostics.append(Diagnostic(.error, file: self.file, position: position, key: key, message: message, allowed: allowed))
    }

    func add(_ diagnostic: Diagnostic) { self.diagnostics.append(diagnostic) }

    func warning(_ position: Position?, _ key: String, _ message: String) {
        self.diagnostics.append(Diagnostic(.warning, file: self.file, position: position, key: key, message: message))
    }

    /// In the file's order; equal ones once.
    var sorted: [Diagnostic] {
        var seen: Set<Diagnostic> = []
        let once = self.diagnostics.filter { seen.insert($0).inserted }
        return once.enumerated().sorted { a, b in
            (a.element.position ?? Position(line: 0, column: 0), a.offset) < (b.element.position ?? Position(line: 0, column: 0), b.offset)
        }.map(\.element)
    }
}
