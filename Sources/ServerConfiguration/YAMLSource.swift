import Yams

/// Reads YAML into placed nodes. The only file that knows the YAML library.
///
/// Refused, because a configuration needs none of it and each makes a file say something else than it seems to: anchors and aliases,
/// explicit tags, several documents, keys that are no scalars, and a key twice in one mapping.
struct YAMLSource {
    /// In bytes.
    static let longest = 1 << 20
    private static let mostDuplicates = 50

    let findings: Findings
    let interpolation: Interpolation

    /// - Returns: nil where the text is no YAML; why is among the findings. An empty file is an empty mapping.
    func read(_ bytes: some Collection<UInt8>) -> ConfigurationNode? {
        guard bytes.count <= Self.longest else {
            self.findings.error(nil, "", "the file is longer than 1 MiB")
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            self.findings.error(nil, "", "the file is not UTF-8")
            return nil
        }
        return self.read(text)
    }

    /// The library stops at the first key that is there twice and tells one place. So that key's first letter is exchanged for a
    /// private-use one, which keeps every column, and the text is read again until all are found.
    private func read(_ original: String) -> ConfigurationNode? {
        var text = original
        var renamed: [Unicode.Scalar: RenamedKey] = [:]
        while true {
            do {
                let parser = try Parser(yaml: text, encoding: .utf8)
                // Nodes hold their anchors weakly: the parser must outlive the conversion.
                return try withExtendedLifetime(parser) {
                    guard let root = try parser.singleRoot() else { return ConfigurationNode(position: Position(line: 1, column: 1), content: .mapping([])) }
                    return self.node(root, path: "", renamed)
                }
            } catch {
                guard case YamlError.duplicatedKeysInMapping(let names, let context) = error, let name = names.first else {
                    self.report(error)
                    return nil
                }
                let place = Position(line: context.mark.line, column: context.mark.column)
                guard renamed.count < Self.mostDuplicates, let mark = Unicode.Scalar(UInt32(0xE000 + renamed.count)),
                    let (changed, replaced) = Self.rename(in: text, at: place, to: mark)
                else {
                    self.findings.error(place, name, "the key is there twice")
                    return nil
                }
                renamed[mark] = RenamedKey(first: replaced)
                text = changed
            }
        }
    }

    private struct RenamedKey { var first: Unicode.Scalar }

    /// - Returns: nil where the place is not the beginning of a word that may be changed.
    private static func rename(in text: String, at place: Position, to mark: Unicode.Scalar) -> (text: String, replaced: Unicode.Scalar)? {
        var scalars = Array(text.unicodeScalars)
        var line = 1
        var at = 0
        while line < place.line, at < scalars.count {
            if scalars[at] == "\n" { line += 1 }
            at += 1
        }
        at += place.column - 1
        if at < scalars.count, scalars[at] == "\"" || scalars[at] == "'" { at += 1 }
        guard at < scalars.count, scalars[at].properties.isAlphabetic || scalars[at].properties.numericType != nil else { return nil }
        let replaced = scalars[at]
        scalars[at] = mark
        var out = String.UnicodeScalarView()
        out.append(contentsOf: scalars)
        return (String(out), replaced)
    }

    private func node(_ node: Node, path: String, _ renamed: [Unicode.Scalar: RenamedKey]) -> ConfigurationNode {
        let position = node.mark.map { Position(line: $0.line, column: $0.column) } ?? Position(line: 1, column: 1)
        if node.anchor != nil {
            self.findings.error(position, path, "anchors (&) and aliases (*) are not read here; write the value out, or quote it")
            return ConfigurationNode(position: position, content: .broken)
        }
        switch node {
        case .scalar(let scalar): return ConfigurationNode(position: position, content: self.scalar(scalar, position, path))
        case .sequence(let sequence):
            let members = sequence.enumerated().map { self.node($1, path: "\(path)[\($0)]", renamed) }
            return ConfigurationNode(position: position, content: .list(members))
        case .mapping(let mapping): return ConfigurationNode(position: position, content: .mapping(self.entries(mapping, path, renamed)))
        case .alias: return ConfigurationNode(position: position, content: .broken)
        }
    }

    private func scalar(_ scalar: Node.Scalar, _ position: Position, _ path: String) -> ConfigurationNode.Content {
        guard ["", "tag:yaml.org,2002:str"].contains(scalar.tag.description) else {
            self.findings.error(position, path, "tags (!) are not read here; quote the text to mean the character")
            return .broken
        }
        do {
            let (text, holdsFile) = try self.interpolation.resolve(scalar.string)
            return .scalar(ConfigurationNode.Scalar(text: text, written: scalar.string, isPlain: scalar.style == .plain, isSecret: holdsFile))
        } catch {
            self.findings.error(position, path, error.message, allowed: error.allowed)
            return .broken
        }
    }

    private func entries(_ mapping: Node.Mapping, _ path: String, _ renamed: [Unicode.Scalar: RenamedKey]) -> [ConfigurationNode.Entry] {
        var entries: [ConfigurationNode.Entry] = []
        var again: [(name: String, position: Position)] = []
        for (key, value) in mapping {
            let position = key.mark.map { Position(line: $0.line, column: $0.column) } ?? Position(line: 1, column: 1)
            guard case .scalar(let scalar) = key, key.anchor == nil else {
                self.findings.error(position, path, "a key must be a single word")
                continue
            }
            var name = scalar.string
            let duplicate = name.unicodeScalars.first.flatMap { renamed[$0] }
            if let duplicate { name = String(Character(duplicate.first)) + String(name.unicodeScalars.dropFirst()) }
            let node = self.node(value, path: path.isEmpty ? name : "\(path).\(name)", renamed)
            if duplicate == nil {
                entries.append(ConfigurationNode.Entry(key: name, position: position, value: node))
            } else {
                again.append((name, position))
            }
        }
        for (name, position) in again {
            // The library names the first place; the one left with its name is the later one.
            guard let other = entries.first(where: { $0.key == name }) else { continue }
            let (first, second) = position < other.position ? (position, other.position) : (other.position, position)
            let key = path.isEmpty ? name : "\(path).\(name)"
            self.findings.error(second, key, "the name is there twice: the first is in line \(first.line), column \(first.column)")
        }
        return entries
    }

    private func report(_ error: any Error) {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _), YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            let context = context.map { "\($0.text): " } ?? ""
            self.findings.error(Position(line: mark.line, column: mark.column), "", "not YAML: \(context)\(problem)")
        case YamlError.reader(let problem, _, _, _): self.findings.error(nil, "", "not YAML: \(problem)")
        default: self.findings.error(nil, "", "not YAML")
        }
    }
}
