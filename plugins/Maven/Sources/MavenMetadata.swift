import ArtifactModel
import FormatAPI
import NIOCore

/// `maven-metadata.xml` of a folder: <https://maven.apache.org/repositories/metadata.html>. One kind for all levels, since one folder may be a group and an artifact.
///
/// What is kept of it, one section each: `versions` (named by the version), `updated` (a time, by version), `files` (of a snapshot: builds by
/// `classifier:extension/build`, of an upstream's the newest by `classifier:extension`), `plugins` (by `artifact/version`, of an upstream's by prefix). Of an upstream's
/// also `newest` (the newest build of a snapshot, whatever its files) and `document` (all of it).
enum MavenMetadata: DerivedDocument {
    /// The folder's segments, joined by `/`.
    typealias Key = String

    static let revision = 1
    static let computing: Set<ContentDigest.Algorithm> = [.sha1, .md5, .sha512]
    /// In bytes: an artifact with a hundred thousand versions has less.
    static let largest: Int64 = 16 << 20
    /// Versions, files and plugins together.
    static let mostEntries = 100_000
    static let goesOnWithoutBroken = true

    static func identifier(_ key: String) -> DocumentID { DocumentID("maven.metadata", key) }
    static func contentType(_ key: String) -> String { "text/xml" }
    static func name(_ key: String) -> String? { MavenRepository.nameOfMetadata(key) }
    static func path(_ key: String) throws -> AssetPath { try AssetPath((key.split(separator: "/").map(String.init)) + [MavenPath.metadataFile]) }
    static func upstream(_ key: String) -> UpstreamResource {
        UpstreamResource(
            .below(PercentEncoding.path("\(key)/\(MavenPath.metadataFile)")), accept: ["text/xml", "application/xml", "*/*;q=0.5"], mayBeCompressed: true)
    }
    static func scanner(_ key: String) -> MavenMetadataScanner { MavenMetadataScanner() }

    static func compose(_ sources: [Outline], _ key: String, into plan: inout DocumentPlan) throws(FormatError) {
        let all = sources.enumerated().filter { !$1.entries.isEmpty }
        // An upstream's own, byte for byte: its checksums are right for it.
        if all.count == 1, let document = all[0].element.entry(MavenSection.document, "") {
            return plan.copy(document.bytes, from: all[0].offset)
        }
        MavenMerge(all.map(\.element), folder: key.split(separator: "/").map(String.init)).write(to: &plan)
    }
}

/// The sections of an outline.
enum MavenSection {
    static let (versions, updated, files, plugins, document) = ("versions", "updated", "files", "plugins", "document")
    static let newest = "newest"
}

/// Several metadata as one.
struct MavenMerge {
    private let folder: [String]
    private var versions: Set<String> = []
    private var updated = ""
    /// By `classifier:extension`: the newest `20261128.010203-4`.
    private var files: [String: String] = [:]
    /// Of a snapshot, by metadata that names no files.
    private var newest: SnapshotBuild?
    /// By prefix: artifact and name.
    private var plugins: [String: (artifactID: String, name: String)] = [:]

    init(_ outlines: [Outline], folder: [String]) {
        self.folder = folder
        for outline in outlines { self.add(outline) }
    }

    private mutating func add(_ outline: Outline) {
        var plugins: [String: (artifactID: String, name: String)] = [:]
        for entry in outline.entries {
            let value = String(decoding: entry.sortKey, as: UTF8.self)
            switch entry.section {
            case MavenSection.versions: self.versions.insert(entry.name)
            case MavenSection.updated: self.updated = max(self.updated, value)
            case MavenSection.files:
                let file = entry.name.split(separator: "/", omittingEmptySubsequences: false).first.map(String.init) ?? entry.name
                if self.files[file].map({ SnapshotBuild($0) < SnapshotBuild(value) }) ?? true { self.files[file] = value }
            case MavenSection.newest: self.newest = max(self.newest ?? SnapshotBuild(value), SnapshotBuild(value))
            case MavenSection.plugins:
                let words = value.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
                guard words.count == 3 else { continue }
                plugins[words[0]] = (words[1], words[2])
            default: continue
            }
        }
        // A prefix is the first member's that has it.
        self.plugins.merge(plugins) { first, _ in first }
    }

    func write(to plan: inout DocumentPlan) {
        plan.write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata>\n")
        let isSnapshot = (!self.files.isEmpty || self.newest != nil) && self.folder.count > 2
        if isSnapshot || !self.versions.isEmpty {
            let package = isSnapshot ? self.folder.dropLast() : self.folder[...]
            self.element("groupId", package.dropLast().joined(separator: "."), 1, &plan)
            self.element("artifactId", package.last ?? "", 1, &plan)
            if isSnapshot { self.element("version", self.folder.last ?? "", 1, &plan) }
            plan.write("  <versioning>\n")
            if isSnapshot { self.writeSnapshot(to: &plan) } else { self.writeVersions(to: &plan) }
            plan.write("  </versioning>\n")
        }
        if !self.plugins.isEmpty { self.writePlugins(to: &plan) }
        plan.write("</metadata>\n")
    }

    private func writeVersions(to plan: inout DocumentPlan) {
        // Two spellings of one version are in the order of their bytes.
        let ordered = self.versions.map { MavenVersion($0) }.sorted { $0 == $1 ? ByteText.precedes($0.text, $1.text) : $0 < $1 }
        if let latest = ordered.last { self.element("latest", latest.text, 2, &plan) }
        if let release = ordered.last(where: { !MavenVersion.isSnapshot($0.text) }) { self.element("release", release.text, 2, &plan) }
        plan.write("    <versions>\n")
        for version in ordered { self.element("version", version.text, 3, &plan) }
        plan.write("    </versions>\n")
        if !self.updated.isEmpty { self.element("lastUpdated", self.updated, 2, &plan) }
    }

    private func writeSnapshot(to plan: inout DocumentPlan) {
        let newest = (self.files.values.map { SnapshotBuild($0) } + (self.newest.map { [$0] } ?? [])).max()
        if let newest {
            plan.write("    <snapshot>\n")
            self.element("timestamp", newest.timestamp, 3, &plan)
            self.element("buildNumber", String(newest.number), 3, &plan)
            plan.write("    </snapshot>\n")
        }
        let times = self.files.values.map { SnapshotBuild($0).updated } + [self.updated]
        self.element("lastUpdated", times.max() ?? "", 2, &plan)
        // Where the newest build is one that names no files, clients go by the build alone.
        guard self.files.values.contains(where: { SnapshotBuild($0) == newest }) else { return }
        plan.write("    <snapshotVersions>\n")
        let stem = (self.folder.last ?? "").dropLast("SNAPSHOT".count)
        for (file, build) in self.files.sorted(by: { ByteText.precedes($0.key, $1.key) }) {
            let parts = file.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            plan.write("      <snapshotVersion>\n")
            if !parts[0].isEmpty { self.element("classifier", parts[0], 4, &plan) }
            self.element("extension", parts.last ?? "", 4, &plan)
            self.element("value", stem + build, 4, &plan)
            self.element("updated", SnapshotBuild(build).updated, 4, &plan)
            plan.write("      </snapshotVersion>\n")
        }
        plan.write("    </snapshotVersions>\n")
    }

    private func writePlugins(to plan: inout DocumentPlan) {
        plan.write("  <plugins>\n")
        for (prefix, plugin) in self.plugins.sorted(by: { ByteText.precedes($0.key, $1.key) }) {
            plan.write("    <plugin>\n")
            if !plugin.name.isEmpty { self.element("name", plugin.name, 3, &plan) }
            self.element("prefix", prefix, 3, &plan)
            self.element("artifactId", plugin.artifactID, 3, &plan)
            plan.write("    </plugin>\n")
        }
        plan.write("  </plugins>\n")
    }

    private func element(_ name: String, _ text: String, _ depth: Int, _ plan: inout DocumentPlan) {
        plan.write("\(String(repeating: "  ", count: depth))<\(name)>\(Markup.escaped(text))</\(name)>\n")
    }
}

/// `20261128.010203-4`: when a snapshot was built, and the how-manyth build it was.
struct SnapshotBuild: Comparable, Sendable {
    let timestamp: String
    let number: Int

    init(_ text: String) {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        self.timestamp = String(parts.first ?? "")
        self.number = parts.count == 2 ? Int(parts[1]) ?? 0 : 0
    }

    /// `20261128010203`
    var updated: String { self.timestamp.filter { $0 != "." } }

    static func < (a: Self, b: Self) -> Bool { a.timestamp == b.timestamp ? a.number < b.number : a.timestamp < b.timestamp }
}
