import FormatAPI
import YAMLEvents

/// What `Chart.yaml` says. Only the fields that Helm has: older ones refuse an index in which one entry has another.
struct ChartMetadata: Hashable, Sendable {
    let name: ChartName
    let version: ChartVersion
    private let tree: YAMLTree

    /// Of `Chart.yaml`, in bytes.
    static let longest = 1 << 20

    private enum Kind { case text, texts, flag, pairs, maintainers, dependencies }
    /// Helm's `chart.Metadata`, in the order in which they are written.
    private static let fields: [(name: String, kind: Kind)] = [
        ("apiVersion", .text), ("name", .text), ("version", .text), ("appVersion", .text), ("kubeVersion", .text), ("type", .text), ("description", .text),
        ("deprecated", .flag), ("keywords", .texts), ("home", .text), ("icon", .text), ("sources", .texts), ("maintainers", .maintainers),
        ("condition", .text), ("tags", .text), ("annotations", .pairs), ("dependencies", .dependencies),
    ]

    /// - Throws: `.invalidRequest` for what Helm would not load.
    init(_ bytes: [UInt8]) throws(FormatError) {
        do {
            guard let tree = try YAMLTree.read(bytes) else { throw FormatError(.invalidRequest, "Chart.yaml is empty") }
            try self.init(tree)
        } catch let flaw as YAMLFlaw {
            throw FormatError(.invalidRequest, "Chart.yaml cannot be read, line \(flaw.line): \(flaw.message)", cause: flaw)
        } catch let error as FormatError {
            throw error
        } catch {
            throw FormatError(.invalidRequest, "Chart.yaml cannot be read", cause: error)
        }
    }

    init(_ tree: YAMLTree) throws(FormatError) {
        guard let members = tree.members else { throw FormatError(.invalidRequest, "Chart.yaml is no mapping of names to values") }
        try Self.check(keys: members.map(\.key))
        guard let name = tree["name"]?.text, let version = tree["version"]?.text else {
            throw FormatError(.invalidRequest, "Chart.yaml must say name and version")
        }
        self.name = try ChartName(name)
        self.version = try ChartVersion(version)
        self.tree = tree
    }

    /// Helm reads the names of fields in either case, and the last one of two counts: what is read in two ways is refused.
    private static func check(keys: [String]) throws(FormatError) {
        var seen: Set<String> = []
        for key in keys {
            let folded = key.uppercased()
            guard seen.insert(folded).inserted else { throw FormatError(.invalidRequest, "Chart.yaml says «\(key.prefix(100))» twice") }
            guard let known = Self.folded[folded], known != key else { continue }
            throw FormatError(.invalidRequest, "Chart.yaml has a field «\(key.prefix(100))», which Helm takes for «\(known)»: write it so")
        }
    }
    private static let folded = Dictionary(uniqueKeysWithValues: Self.fields.map { ($0.name.uppercased(), $0.name) })

    /// Whether Helm would take the chart: what an index may leave out, a chart may not.
    func check() throws(FormatError) {
        guard let apiVersion = self.tree["apiVersion"]?.text, ["v1", "v2"].contains(apiVersion) else {
            throw FormatError(.invalidRequest, "Chart.yaml must say apiVersion: v2 (or v1, of Helm 2)")
        }
        guard self.id.isPlain else {
            let meant = ChartFile(self.id.file)?.id.description ?? "something else"
            throw FormatError(
                .invalidRequest, "\(self.id) cannot be told from \(meant) by its file's name, «\(self.id.file)»: choose another name or version")
        }
        guard ["application", "library", nil].contains(self.tree["type"]?.text) else {
            throw FormatError(.invalidRequest, "a chart's type is application or library")
        }
    }

    var id: ChartID { ChartID(name: self.name, version: self.version) }
    func text(_ field: String) -> String? { self.tree[field]?.text }
    var isLibrary: Bool { self.tree["type"]?.text == "library" }

    // MARK: JSON

    /// An object without its last bracket, so that an entry of an index may go on with what it has besides.
    func write(to json: inout JSONText) {
        json.raw("{")
        self.writeFields(to: &json)
    }

    func writeFields(to json: inout JSONText) {
        for (field, kind) in Self.fields {
            guard let value = self.tree[field], !value.isNull else { continue }
            switch kind {
            case .text: if let text = value.text { json.member(field, text) }
            case .flag: if let flag = value.flag { Self.write(field, flag, to: &json) }
            case .texts: if let items = value.items { json.list(field, items.compactMap(\.text)) }
            case .pairs: Self.write(field, value, to: &json)
            case .maintainers: Self.write(field, value.items ?? [], ["name", "email", "url"], to: &json)
            case .dependencies: Self.write(field, value.items ?? [], ["name", "version", "repository", "condition", "alias"], to: &json)
            }
        }
    }

    private static func write(_ field: String, _ flag: Bool, to json: inout JSONText) {
        json.key(field)
        if flag { json.raw("true") } else { json.raw("false") }
    }

    private static func write(_ field: String, _ pairs: YAMLTree, to json: inout JSONText) {
        guard let members = pairs.members else { return }
        json.key(field)
        json.raw("{")
        var known: Set<String> = []
        // Keys of more bytes than these are none to a reader of YAML.
        for member in members.reversed() where member.key.utf8.count <= 1000 && known.insert(member.key).inserted {
            json.member(member.key, member.value.text ?? "")
        }
        json.raw("}")
    }

    private static func write(_ field: String, _ items: [YAMLTree], _ texts: [String], to json: inout JSONText) {
        json.key(field)
        json.raw("[")
        for (index, item) in items.filter({ $0.members != nil }).enumerated() {
            if index > 0 { json.raw(",") }
            json.raw("{")
            for text in texts { if let value = item[text]?.text { json.member(text, value) } }
            if let tags = item["tags"]?.items { json.list("tags", tags.compactMap(\.text)) }
            if let flag = item["enabled"]?.flag { Self.write("enabled", flag, to: &json) }
            if let values = item["import-values"]?.items { Self.write(values, to: &json) }
            json.raw("}")
        }
        json.raw("]")
    }

    /// Each the name of an export, or a pair of paths.
    private static func write(_ values: [YAMLTree], to json: inout JSONText) {
        json.key("import-values")
        json.raw("[")
        for (index, value) in values.filter({ $0.text != nil || $0.members != nil }).enumerated() {
            if index > 0 { json.raw(",") }
            if let text = value.text {
                json.string(text)
                continue
            }
            json.raw("{")
            for key in ["child", "parent"] { if let path = value[key]?.text { json.member(key, path) } }
            json.raw("}")
        }
        json.raw("]")
    }
}
