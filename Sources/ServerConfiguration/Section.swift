import ArtifactModel

/// A value and where it stands; the position is nil for a default.
struct Located<Value> {
    var value: Value
    var position: Position?
    var key: String
}

/// One mapping of the file while it is read: gives typed values, reports what does not fit, remembers which keys were asked for, so that
/// `finish` can name the others, and what every key came to, so that `config show` can print it. Lives within one call of `load`.
final class Section {
    let key: String
    let position: Position
    let findings: Findings
    /// What a format's decoder reads.
    let node: ConfigurationNode
    private let entries: [ConfigurationNode.Entry]
    private(set) var asked: [String] = []
    private var tolerated: Set<String> = []
    private var shownParts: [(key: String, part: Part)] = []

    private enum Part {
        case value(Shown)
        case section(Section)
    }

    /// - Parameter node: nil, or a node without a value: a section without keys.
    init(_ node: ConfigurationNode?, key: String, position: Position, findings: Findings) {
        self.key = key
        self.position = node?.position ?? position
        self.findings = findings
        let nothing = ConfigurationNode(position: position, content: .mapping([]))
        self.node = node.map { if case .mapping = $0.content { $0 } else { nothing } } ?? nothing
        guard let node, !node.isNull else {
            self.entries = []
            return
        }
        switch node.content {
        case .mapping(let entries): self.entries = entries
        case .broken: self.entries = []
        case .list, .scalar:
            findings.error(node.position, key, "\(node.sort), where a mapping is wanted")
            self.entries = []
        }
    }

    /// The keys that are there, in the file's order.
    var keys: [String] { self.entries.map(\.key) }
    var isEmpty: Bool { self.entries.isEmpty }

    func entry(_ key: String) -> ConfigurationNode.Entry? { self.entries.first { $0.key == key } }

    func keyPath(_ key: String) -> String { self.key.isEmpty ? key : "\(self.key).\(key)" }

    /// Of the key itself, where it is there; else of the section.
    func position(of key: String) -> Position { self.entry(key)?.position ?? self.position }

    // MARK: Scalars

    func value<Value>(_ key: String, _ kind: ValueKind<Value>, default standard: Value) -> Value {
        self.ask(key)
        let value = self.scalar(key, kind, mayBeNull: false)
        self.show(key, value.map { self.shown($0, key, kind) } ?? (kind.isSecret ? .null : kind.show(standard)))
        return value ?? standard
    }

    func optional<Value>(_ key: String, _ kind: ValueKind<Value>) -> Value? {
        self.ask(key)
        let value = self.scalar(key, kind, mayBeNull: true)
        self.show(key, value.map { self.shown($0, key, kind) } ?? .null)
        return value
    }

    /// - Returns: nil where it is missing or wrong; that is reported.
    func required<Value>(_ key: String, _ kind: ValueKind<Value>, _ allowed: [String] = []) -> Value? {
        self.ask(key)
        guard self.entry(key) != nil else {
            self.findings.error(self.position, self.key, "the key \(key) is missing", allowed: allowed)
            return nil
        }
        let value = self.scalar(key, kind, mayBeNull: false)
        self.show(key, value.map { self.shown($0, key, kind) } ?? .null)
        return value
    }

    private func scalar<Value>(_ key: String, _ kind: ValueKind<Value>, mayBeNull: Bool) -> Value? {
        guard let entry = self.entry(key), !(mayBeNull && entry.value.isNull) else { return nil }
        return self.read(entry.value, self.keyPath(key), kind)
    }

    private func read<Value>(_ node: ConfigurationNode, _ key: String, _ kind: ValueKind<Value>) -> Value? {
        if case .broken = node.content { return nil }
        guard case .scalar(let scalar) = node.content, !scalar.isNull else {
            self.findings.error(node.position, key, "\(node.sort), where a single value is wanted")
            return nil
        }
        do {
            return try kind.parse(scalar)
        } catch {
            let quoted = kind.isSecret ? "***" : Self.withoutUserInformation(scalar.written)
            self.findings.error(node.position, key, "«\(quoted)» is not a \(error.kind)", allowed: [error.rule])
            return nil
        }
    }

    /// A URL that is no URL may still have a password in it.
    private static func withoutUserInformation(_ text: String) -> String {
        guard let scheme = text.firstRange(of: "://") else { return text }
        let rest = text[scheme.upperBound...].prefix { $0 != "?" }
        let shownRest = rest.lastIndex(of: "@").map { "***" + rest[$0...] } ?? String(rest)
        return String(text[..<scheme.upperBound]) + shownRest
    }

    private func shown<Value>(_ value: Value, _ key: String, _ kind: ValueKind<Value>) -> Shown {
        guard case .scalar(let scalar) = self.entry(key)?.value.content, scalar.isSecret else { return kind.show(value) }
        return Shown.secret
    }

    // MARK: Lists

    /// - Parameter orSingle: one value without brackets is a list of one.
    func list<Value>(_ key: String, _ kind: ValueKind<Value>, orSingle: Bool = false, default standard: [Value] = [], mapping: ((Section) -> Value?)? = nil)
        -> [Located<Value>]
    {
        self.ask(key)
        guard let entry = self.entry(key), !entry.value.isNull else {
            self.show(key, .list(standard.map(kind.show)))
            return standard.map { Located(value: $0, position: nil, key: self.keyPath(key)) }
        }
        let members: [ConfigurationNode]
        switch entry.value.content {
        case .list(let list): members = list
        case .scalar where orSingle: members = [entry.value]
        case .mapping where orSingle && mapping != nil: members = [entry.value]
        case .broken: members = []
        case .mapping, .scalar:
            self.findings.error(entry.value.position, self.keyPath(key), "\(entry.value.sort), where a list is wanted")
            members = []
        }
        var shown: [Shown] = []
        let out = members.compactMap { node -> Located<Value>? in
            if case .mapping = node.content, let mapping {
                let section = Section(node, key: self.keyPath(key), position: node.position, findings: self.findings)
                guard let value = mapping(section) else { return nil }
                shown.append(section.shown)
                return Located(value: value, position: node.position, key: self.keyPath(key))
            }
            return self.read(node, self.keyPath(key), kind).map { value in
                shown.append(Self.holdsSecret(node) ? Shown.secret : kind.show(value))
                return Located(value: value, position: node.position, key: self.keyPath(key))
            }
        }
        self.show(key, .list(shown))
        return out
    }

    private static func holdsSecret(_ node: ConfigurationNode) -> Bool {
        if case .scalar(let scalar) = node.content { scalar.isSecret } else { false }
    }

    // MARK: Sections

    /// The section below a key; empty where the key is not there.
    func section(_ key: String) -> Section {
        self.ask(key)
        let section = Section(self.entry(key)?.value, key: self.keyPath(key), position: self.position(of: key), findings: self.findings)
        self.shownParts.append((key, .section(section)))
        return section
    }

    /// nil where the key is not there, or has no value.
    func optionalSection(_ key: String) -> Section? {
        guard let entry = self.entry(key), !entry.value.isNull else {
            self.ask(key)
            self.show(key, .null)
            return nil
        }
        return self.section(key)
    }

    /// One section for each key: what names are given to. Each bears the position of its name.
    func members() -> [(name: String, position: Position, section: Section)] {
        self.entries.map { ($0.key, $0.position, self.section($0.key)) }
    }

    // MARK: What was asked, and what it came to

    func ask(_ key: String) {
        if !self.asked.contains(key) { self.asked.append(key) }
    }

    /// `finish` says nothing of these keys.
    func tolerate(_ keys: [String]) { self.tolerated.formUnion(keys) }

    func show(_ key: String, _ shown: Shown) { self.shownParts.append((key, .value(shown))) }

    /// What the command line says counts instead.
    func replaceShown(_ key: String, _ shown: Shown) {
        self.shownParts = self.shownParts.map { $0.key == key ? (key, .value(shown)) : $0 }
    }

    var shown: Shown {
        .mapping(
            self.shownParts.map { key, part in
                switch part {
                case .value(let shown): Shown.Member(key, shown)
                case .section(let section): Shown.Member(key, section.shown)
                }
            })
    }

    /// Reports keys that are known and do not go with another that is there.
    func forbid(_ keys: [String], _ message: String) {
        for key in keys {
            self.ask(key)
            guard let entry = self.entry(key) else { continue }
            self.findings.error(entry.position, self.keyPath(key), message)
        }
    }

    /// Where a text stands as a value, anywhere below.
    func places(of text: String) -> [(key: String, position: Position)] { self.node.places(of: text, key: self.key) }

    /// Reports the keys that nobody asked for.
    /// - Parameter elsewhere: why a key that is known in another place is wrong here; nil: it is not known at all.
    func finish(elsewhere: (String) -> String? = { _ in nil }) {
        for entry in self.entries where !self.asked.contains(entry.key) && !self.tolerated.contains(entry.key) {
            let key = self.keyPath(entry.key)
            if let reason = elsewhere(entry.key) {
                self.findings.error(entry.position, key, reason, allowed: self.asked)
            } else {
                self.findings.error(entry.position, key, "unknown key" + Spelling.suggestion(for: entry.key, among: self.asked), allowed: self.asked)
            }
        }
    }
}
