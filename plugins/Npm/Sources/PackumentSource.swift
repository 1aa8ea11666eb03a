import ArtifactModel
import FormatAPI

/// One repository's part of a packument.
struct PackumentSource {
    let outline: Outline
    /// Its place among the sources.
    let number: Int
    /// An upstream's, to be passed on as it is.
    let document: Outline.Entry?
    /// nil: not a hosted one's.
    let attributes: PackageAttributes?

    init(_ outline: Outline, number: Int) {
        self.outline = outline
        self.number = number
        self.document = Packument.document(of: outline)
        self.attributes = outline.entry(Outline.package, "").map { PackageAttributes($0.sortKey) }
    }

    func has(version: String) -> Bool { self.outline.entry("versions", version) != nil }

    /// Where a dist-tag points; nil: nowhere, or not to text.
    func target(of tag: String) -> String? { self.outline.entry(Outline.pointers, tag).flatMap { String(validating: $0.sortKey, as: UTF8.self) } }

    /// The version whose `head` the document shows: what `latest` names here, else the highest.
    var shown: String? {
        if let latest = self.target(of: "latest"), self.has(version: latest) { return latest }
        let versions = self.outline.entries.filter { $0.section == "versions" }
        return versions.max { $0.sortKey.lexicographicallyPrecedes($1.sortKey) }?.name
    }

    /// Whether the document shows of it what it shows at its top.
    var hasTop: Bool {
        self.outline.entries.contains { entry in
            entry.section == "versions" && self.attributes != nil || entry.section == "head" || entry.section == "top" && !Self.own.contains(entry.name)
        }
    }

    /// Members that are made and not copied.
    static let own = ["_id", "_rev", "name", "modified"]

    // MARK: Moments

    var created: [UInt8]? {
        self.attributes?.created.map { Array($0.utf8) } ?? self.moment("created", or: { $0.min(by: { $0.lexicographicallyPrecedes($1) }) })
    }

    var modified: [UInt8]? {
        let own = self.attributes?.modified.map { Array($0.utf8) } ?? self.outline.entry("top", "modified").flatMap { Self.checked($0.sortKey) }
        return own ?? self.moment("modified", or: { $0.max(by: { $0.lexicographicallyPrecedes($1) }) })
    }

    private func moment(_ name: String, or pick: ([[UInt8]]) -> [UInt8]?) -> [UInt8]? {
        let times = self.outline.entries.filter { $0.section == "time" }
        if let own = times.first(where: { $0.name == name }) { return Self.checked(own.sortKey) }
        return pick(times.compactMap { Self.checked($0.sortKey) })
    }

    /// nil: not written as `2026-01-31T12:00:00`, and so in no order with others.
    private static func checked(_ text: [UInt8]) -> [UInt8]? {
        guard text.count >= 19 else { return nil }
        for (place, byte) in text.prefix(19).enumerated() {
            let isRight =
                switch place {
                case 4, 7: byte == UInt8(ascii: "-")
                case 10: byte == UInt8(ascii: "T")
                case 13, 16: byte == UInt8(ascii: ":")
                default: (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                }
            guard isRight else { return nil }
        }
        return text.dropFirst(19).allSatisfy {
            $0.isASCIILetterOrDigit || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ":")
        } ? text : nil
    }
}
