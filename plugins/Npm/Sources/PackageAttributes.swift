import FormatAPI

/// What a hosted repository remembers of a package beside its versions: the attributes of its row, JSON.
struct PackageAttributes: Sendable {
    /// `[{"name":…,"email":…}]`
    var maintainers: JSONValue?
    /// Why not to use a version, by version.
    var deprecated: [String: String]
    /// ISO 8601, UTC, with milliseconds.
    var created: String?
    var modified: String?
    /// Of the version that `latest` names, for lists: `description`, `keywords`, `author`, `version`, `date`.
    var latest: JSONValue?

    /// What is not as it should be is not there.
    init(_ text: some Sequence<UInt8>) {
        var value = JSONValue.null
        // Our own, and yet no reason to fail: a document without maintainers is better than none.
        do { value = try JSONValue(text) } catch {}
        self.init(value)
    }

    init(_ value: JSONValue) {
        self.maintainers = value["maintainers"].flatMap { $0.elements == nil ? nil : $0 }
        let deprecated = value["deprecated"]?.members ?? []
        self.deprecated = Dictionary(deprecated.compactMap { member in member.value.string.map { (member.key, $0) } }) { $1 }
        self.created = value["created"]?.string
        self.modified = value["modified"]?.string
        self.latest = value["latest"].flatMap { $0.members == nil ? nil : $0 }
    }
}
