import ArtifactModel

/// What the configuration may ask of its surroundings; injected, so that tests need no process environment.
public struct Surroundings: Sendable {
    public var environment: @Sendable (String) -> String?
    /// The text of a file, at most 64 KiB. The error's description is shown: it should say why, such as «no such file».
    public var readFile: @Sendable (String) throws -> String
    /// Absolute. What relative paths are relative to.
    public var workingDirectory: String

    public init(
        workingDirectory: String, environment: @escaping @Sendable (String) -> String?, readFile: @escaping @Sendable (String) throws -> String
    ) {
        self.workingDirectory = workingDirectory
        self.environment = environment
        self.readFile = readFile
    }

    /// `path` made absolute; `.` and `..` segments are resolved without looking at the disk.
    func absolute(_ path: String, below folder: String? = nil) -> String {
        let whole = path.hasPrefix("/") ? path : (folder ?? self.workingDirectory) + "/" + path
        var segments: [Substring] = []
        for segment in whole.split(separator: "/") where segment != "." {
            if segment == ".." { segments = segments.dropLast() } else { segments.append(segment) }
        }
        return "/" + segments.joined(separator: "/")
    }
}

/// `${NAME}`, `${file:path}` and `$${` within one scalar. Runs after the YAML is parsed: a value cannot change the structure.
struct Interpolation {
    struct Failure: Error {
        var message: String
        var allowed: [String] = []
    }

    let surroundings: Surroundings

    /// - Returns: the text, and whether a file's content is in it.
    func resolve(_ written: String) throws(Failure) -> (text: String, holdsFile: Bool) {
        var out = ""
        var rest = written[...]
        var holdsFile = false
        while let dollar = rest.firstIndex(of: "$") {
            out += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                out += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    throw Failure(message: "«${» without «}»", allowed: ["${NAME}", "${file:/path}", "$${ for the characters ${"])
                }
                let name = String(rest[rest.index(rest.startIndex, offsetBy: 2)..<end])
                if name.hasPrefix("file:") {
                    out += try self.file(String(name.dropFirst(5)))
                    holdsFile = true
                } else {
                    out += try self.variable(name)
                }
                rest = rest[rest.index(after: end)...]
            } else {
                out += "$"
                rest = rest.dropFirst()
            }
        }
        return (out + rest, holdsFile)
    }

    private func variable(_ name: String) throws(Failure) -> String {
        let bytes = name.utf8
        let isName = bytes.allSatisfy { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "_") }
        guard isName, let first = bytes.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            throw Failure(message: "«${\(name)}» names no environment variable", allowed: ["${NAME}", "${file:/path}", "$${ for the characters ${"])
        }
        guard let value = self.surroundings.environment(name) else { throw Failure(message: "the environment variable \(name) is not set") }
        return value
    }

    /// One line feed at the end is not part of the value: editors and `echo` put it there.
    private func file(_ path: String) throws(Failure) -> String {
        guard !path.isEmpty else { throw Failure(message: "«${file:}» names no file", allowed: ["${file:/path}"]) }
        var text: String
        do {
            text = try self.surroundings.readFile(self.surroundings.absolute(path))
        } catch {
            throw Failure(message: "the file \(path) cannot be read: \(error)")
        }
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
        return text
    }
}
