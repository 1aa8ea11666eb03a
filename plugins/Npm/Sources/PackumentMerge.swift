import ArtifactModel
import FormatAPI

/// Several sources' packuments in one, or a hosted package's, which is in pieces. Each version, dist-tag and time is the first source's that has it.
struct PackumentMerge {
    private struct Version {
        var source: PackumentSource
        var entry: Outline.Entry
    }

    private let sources: [PackumentSource]
    private let key: Packument.Key
    private let versions: [Version]
    private let tags: [(name: String, version: String)]

    init(_ sources: [PackumentSource], _ key: Packument.Key) {
        self.sources = sources
        self.key = key
        self.versions = Self.versions(of: sources)
        self.tags = Self.completed(Self.tags(of: sources), self.versions)
    }

    /// Clients have no use for a package without `latest`. Where somebody has said what it is, that stands.
    private static func completed(_ tags: [(name: String, version: String)], _ versions: [Version]) -> [(name: String, version: String)] {
        guard !tags.contains(where: { $0.name == "latest" }), let highest = self.highest(versions) else { return tags }
        return [("latest", highest)] + tags
    }

    /// Of the releases, where there are any.
    private static func highest(_ versions: [Version]) -> String? {
        let all = versions.map { (name: $0.entry.name, key: $0.entry.sortKey, isRelease: NpmVersion(bytes: $0.entry.name.utf8)?.isPrerelease == false) }
        let releases = all.filter(\.isRelease)
        return (releases.isEmpty ? all : releases).max { $0.key.lexicographicallyPrecedes($1.key) }?.name
    }

    /// As the composed document shows them.
    static func tags(of outlines: [Outline]) -> [(name: String, version: String)] {
        let sources = outlines.enumerated().filter { !$1.entries.isEmpty }.map { PackumentSource($1, number: $0) }
        return self.completed(self.tags(of: sources), self.versions(of: sources))
    }

    func write(to plan: inout DocumentPlan) {
        let name = self.key.package.text
        plan.write(self.key.form == .full ? "{\"_id\":\"\(name)\"\(self.revision),\"name\":\"\(name)\"" : "{\"name\":\"\(name)\"")
        self.writeTop(to: &plan)
        if self.key.form == .abbreviated, let modified = self.modified {
            plan.write(",\"modified\":\"")
            plan.write(modified)
            plan.write("\"")
        }
        self.writeTags(to: &plan)
        self.writeVersions(to: &plan)
        if self.key.form == .full { self.writeTime(to: &plan) }
        plan.write("}")
    }

    /// `npm owner` sends back what it finds here.
    private var revision: String {
        // Of several nobody knows which one takes the writes.
        let entries = self.sources.compactMap { $0.outline.entry(Outline.generation, "") }
        guard entries.count == 1, let entry = entries.first else { return "" }
        let revision = Revision(generation: Int64(String(decoding: entry.sortKey, as: UTF8.self)))
        return ",\"_rev\":\"\(revision.text)\""
    }

    private static func key(_ name: String, after isFirst: inout Bool, to plan: inout DocumentPlan) {
        if !isFirst { plan.write(",") }
        isFirst = false
        plan.write(JSONValue.quoted(name))
        plan.write(":")
    }

    // MARK: Members at the top

    /// Of the first source that has any.
    private func writeTop(to plan: inout DocumentPlan) {
        guard let source = self.sources.first(where: \.hasTop) else { return }
        var isFirst = false
        for entry in source.outline.entries where entry.section == "top" && !PackumentSource.own.contains(entry.name) {
            Self.key(entry.name, after: &isFirst, to: &plan)
            plan.copy(entry, from: source.number)
        }
        guard self.key.form == .full else { return }
        if let head = source.shown.flatMap({ source.outline.entry("head", $0) }), !head.bytes.isEmpty {
            plan.write(",")
            plan.copy(head, from: source.number)
        }
        if let maintainers = source.attributes?.maintainers {
            Self.key("maintainers", after: &isFirst, to: &plan)
            plan.write(maintainers.bytes)
        }
    }

    // MARK: Dist-tags

    private static func tags(of sources: [PackumentSource]) -> [(name: String, version: String)] {
        var tags: [(String, String)] = []
        for (place, source) in sources.enumerated() {
            for entry in source.outline.entries where entry.section == Outline.pointers {
                guard let version = self.version(of: entry.name, in: source, among: sources) else { continue }
                let isTaken = sources[..<place].contains { self.version(of: entry.name, in: $0, among: sources) != nil }
                if !isTaken { tags.append((entry.name, version)) }
            }
        }
        return tags
    }

    /// nil: this source does not have the tag, or nobody has the version that it names.
    private static func version(of tag: String, in source: PackumentSource, among sources: [PackumentSource]) -> String? {
        guard let version = source.target(of: tag) else { return nil }
        return sources.contains { $0.has(version: version) } ? version : nil
    }

    private func writeTags(to plan: inout DocumentPlan) {
        plan.write(",\"dist-tags\":{")
        var isFirst = true
        for tag in self.tags {
            Self.key(tag.name, after: &isFirst, to: &plan)
            plan.write(JSONValue.quoted(tag.version))
        }
        plan.write("}")
    }

    // MARK: Versions

    private static func versions(of sources: [PackumentSource]) -> [Version] {
        var versions: [Version] = []
        for (place, source) in sources.enumerated() {
            for entry in source.outline.entries where entry.section == "versions" {
                if !sources[..<place].contains(where: { $0.has(version: entry.name) }) { versions.append(Version(source: source, entry: entry)) }
            }
        }
        // An upstream that is alone keeps its order.
        guard sources.count > 1 || sources.first?.attributes != nil || sources.first?.outline.entry("document", "") == nil else { return versions }
        return versions.sorted { a, b in
            if a.entry.sortKey != b.entry.sortKey { return a.entry.sortKey.lexicographicallyPrecedes(b.entry.sortKey) }
            return ByteText.precedes(a.entry.name, b.entry.name)
        }
    }

    private func writeVersions(to plan: inout DocumentPlan) {
        plan.write(",\"versions\":{")
        var isFirst = true
        for version in self.versions {
            Self.key(version.entry.name, after: &isFirst, to: &plan)
            guard let reason = version.source.attributes?.deprecated[version.entry.name], !version.entry.bytes.isEmpty else {
                plan.copy(version.entry, from: version.source.number)
                continue
            }
            var open = version.entry
            let brace = open.bytes.upperBound - 1
            open.bytes = open.bytes.lowerBound..<brace
            plan.copy(open, from: version.source.number)
            plan.write(",\"deprecated\":")
            plan.write(JSONValue.quoted(reason))
            plan.copy(brace..<brace + 1, from: version.source.number)
        }
        plan.write("}")
    }

    // MARK: Time

    private var modified: [UInt8]? { self.sources.compactMap(\.modified).max { $0.lexicographicallyPrecedes($1) } }
    private var created: [UInt8]? { self.sources.compactMap(\.created).min { $0.lexicographicallyPrecedes($1) } }

    private func writeTime(to plan: inout DocumentPlan) {
        plan.write(",\"time\":{")
        var isFirst = true
        for (name, moment) in [("created", self.created), ("modified", self.modified)] {
            guard let moment else { continue }
            Self.key(name, after: &isFirst, to: &plan)
            plan.write("\"")
            plan.write(moment)
            plan.write("\"")
        }
        for (place, source) in self.sources.enumerated() {
            for entry in source.outline.entries where entry.section == "time" && self.isShown(entry.name) {
                guard !self.sources[..<place].contains(where: { $0.outline.entry("time", entry.name) != nil }) else { continue }
                Self.key(entry.name, after: &isFirst, to: &plan)
                plan.copy(entry, from: source.number)
            }
        }
        plan.write("}")
    }

    /// A package that has versions is not to be taken for one that was withdrawn.
    private func isShown(_ name: String) -> Bool {
        switch name {
        case "created", "modified": false
        case "unpublished": self.versions.isEmpty
        default: true
        }
    }
}
