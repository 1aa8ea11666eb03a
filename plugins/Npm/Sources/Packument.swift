import ArtifactModel
import FormatAPI

/// What a registry says of one package: its versions, its dist-tags, and in the full form when each was published.
///
/// What is kept of it, one section each: `versions` (a manifest), `time` (a moment, with its text as the key), `Outline.pointers` (dist-tags). Of
/// hosted packages also `head` (what the document shows of the version that `latest` names) and `Outline.package`; of an upstream's document `top`
/// (its other members) and `document` (all of it).
enum Packument: DerivedDocument {
    struct Key: Hashable, Sendable {
        enum Form: String, Hashable, Sendable, CaseIterable { case full, abbreviated }
        var package: NpmName
        var form: Form
    }

    static let revision = 1
    /// The kind of pointer that a dist-tag is.
    static let tag = "tag"
    static let abbreviatedType = "application/vnd.npm.install-v1+json"

    static func identifier(_ key: Key) -> DocumentID { DocumentID("npm.\(key.form.rawValue)", key.package.text) }
    static func contentType(_ key: Key) -> String { key.form == .full ? "application/json" : self.abbreviatedType }
    static func name(_ key: Key) -> String? { key.package.text }
    static func pointers(_ key: Key) -> (package: PackageName, kind: String)? { (key.package.package, self.tag) }
    static func package(_ key: Key) -> PackageName? { key.package.package }
    static func forms(_ key: Key) -> [Key] { Key.Form.allCases.filter { $0 != key.form }.map { Key(package: key.package, form: $0) } }
    static func path(_ key: Key) throws -> AssetPath { AssetPath(checked: ".packuments/\(key.form.rawValue)/\(key.package.text)") }
    static func scanner(_ key: Key) -> PackumentScanner { PackumentScanner(key.package) }

    static func upstream(_ key: Key) -> UpstreamResource {
        let accept = key.form == .full ? ["application/json"] : ["\(self.abbreviatedType); q=1.0", "application/json; q=0.8", "*/*"]
        return UpstreamResource(.below(key.package.encoded), accept: accept, mayBeCompressed: true)
    }

    static func compose(_ sources: [Outline], _ key: Key, into plan: inout DocumentPlan) throws(FormatError) {
        let all = sources.enumerated().filter { !$1.entries.isEmpty }.map { PackumentSource($1, number: $0) }
        if all.count == 1, let document = all[0].document { return self.copy(document, of: all[0], into: &plan) }
        PackumentMerge(all, key).write(to: &plan)
    }

    /// An upstream's own document, byte for byte but for its slots.
    private static func copy(_ document: Outline.Entry, of source: PackumentSource, into plan: inout DocumentPlan) {
        var at = document.bytes.lowerBound
        for entry in source.outline.entries where !entry.slots.isEmpty {
            plan.copy(at..<entry.bytes.lowerBound, from: source.number)
            plan.copy(entry, from: source.number)
            at = entry.bytes.upperBound
        }
        plan.copy(at..<document.bytes.upperBound, from: source.number)
    }

    // MARK: The whole document

    private static let whole = "document"

    /// - Parameter keys: how many entries the outline has if no key came twice and all is what it should be.
    static func documentEntry(length: Int64, keys: Int64) -> Outline.Entry {
        Outline.Entry(section: self.whole, name: "", sortKey: (0..<8).map { UInt8(truncatingIfNeeded: keys >> ($0 * 8)) }, bytes: 0..<length)
    }

    /// nil: not an upstream's, or one that is not to be passed on as it is: what has a key twice is read in two ways.
    static func document(of outline: Outline) -> Outline.Entry? {
        guard let entry = outline.entry(self.whole, "") else { return nil }
        let keys = entry.sortKey.enumerated().reduce(Int64(0)) { $0 | Int64($1.element) << ($1.offset * 8) }
        return keys == Int64(outline.entries.count - 1) ? entry : nil
    }
}
