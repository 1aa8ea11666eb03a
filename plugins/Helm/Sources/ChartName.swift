import ArtifactModel
import FormatAPI

/// A chart's name: letters, digits, `-`, `_` and `.`, as Helm takes it (`^[a-zA-Z0-9._-]+$`).
struct ChartName: Hashable, Sendable, CustomStringConvertible {
    /// In bytes, as Helm bounds it.
    static let longest = 250

    let text: String

    /// - Throws: `.invalidRequest`.
    init(_ text: String) throws(FormatError) {
        guard let name = ChartName(reading: text) else {
            throw FormatError(.invalidRequest, "«\(text.prefix(Self.longest))» is not a chart's name: letters, digits, -, _ and . make one")
        }
        self = name
    }

    init?(reading text: String) {
        guard (1...Self.longest).contains(text.utf8.count), text != ".", text != "..", text.utf8.allSatisfy(Self.isAllowed) else { return nil }
        self.text = text
    }

    var package: PackageName { PackageName(namespace: "", name: self.text) }
    var description: String { self.text }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        byte.isASCIILetterOrDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
    }
}

/// One chart in one version.
struct ChartID: Hashable, Sendable, CustomStringConvertible {
    let name: ChartName
    let version: ChartVersion

    var file: String { "\(self.name)-\(self.version).tgz" }
    var path: AssetPath { AssetPath(checked: self.file) }
    var provenancePath: AssetPath { AssetPath(checked: self.file + ".prov") }
    var coordinates: Coordinates { Coordinates(package: self.name.package, version: self.version.text) }
    /// Of the index's entry.
    var entryName: String { "\(self.name)/\(self.version)" }
    var description: String { "\(self.name) \(self.version)" }

    /// Whether its file's name says it, and not another.
    var isPlain: Bool { ChartFile(self.file)?.id == self }
}

/// `<name>-<version>.tgz`, or the provenance beside it.
///
/// Names and versions may both have hyphens and digits: `mysql-8-1.0.0.tgz` may be of `mysql-8` or of `mysql`. One of them is meant, always the same: the one whose version
/// has three numbers, else the one whose version is longest. What would be meant otherwise is not taken (`ChartID.isPlain`).
struct ChartFile: Hashable, Sendable {
    let text: String
    let isProvenance: Bool
    let id: ChartID

    /// nil: no chart's file is called so.
    init?(_ text: String) {
        self.isProvenance = text.hasSuffix(".tgz.prov")
        let stem = text.hasSuffix(".tgz") ? text.dropLast(4) : self.isProvenance ? text.dropLast(9) : ""
        guard !stem.isEmpty, stem.utf8.count <= ChartName.longest + ChartVersion.longest + 1 else { return nil }
        var readings: [ChartID] = []
        for at in stem.utf8.indices where stem.utf8[at] == UInt8(ascii: "-") {
            guard let name = ChartName(reading: String(stem[..<at])), let version = ChartVersion(reading: String(stem[stem.utf8.index(after: at)...])) else {
                continue
            }
            readings.append(ChartID(name: name, version: version))
        }
        guard let id = readings.first(where: \.version.isWhole) ?? readings.first else { return nil }
        self.text = text
        self.id = id
    }

    /// Without `.prov`.
    var chart: String { self.isProvenance ? String(self.text.dropLast(5)) : self.text }
    /// What grants and `owns` are matched with.
    var name: ChartName { self.id.name }
}
