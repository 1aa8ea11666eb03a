import FormatAPI

/// What a client means by sending a whole packument back, changed: `npm unpublish` of a version, `npm deprecate`, `npm owner`.
struct PackumentChange: Sendable {
    /// Its versions, dist-tags and deprecations as they are now.
    struct Current: Sendable {
        var versions: Set<String>
        var tags: [String: String]
        var deprecated: [String: String]
        var maintainers: JSONValue?
    }

    /// In the order of the text.
    var removedVersions: [String] = []
    /// Those that change; nil: the version may be used again.
    var deprecations: [String: String?] = [:]
    /// Those that change; nil: the tag goes.
    var tags: [String: String?] = [:]
    /// nil: as they are.
    var maintainers: JSONValue?

    var isEmpty: Bool { self.removedVersions.isEmpty && self.deprecations.isEmpty && self.tags.isEmpty && self.maintainers == nil }

    /// Manifests are not compared: what was published stays as it was.
    /// - Throws: `.invalidRequest`, as where a version is in it that is not here: that would be a publish, which brings its tarball.
    static func difference(of sent: JSONValue, against current: Current) throws(FormatError) -> PackumentChange {
        guard let versions = sent["versions"]?.members else {
            throw FormatError(.invalidRequest, "a package is changed by sending the whole of it: «versions» is missing")
        }
        var change = PackumentChange()
        for version in versions {
            guard current.versions.contains(version.key) else {
                throw FormatError(.invalidRequest, "version «\(version.key.prefix(NpmVersion.longest))» is not here: it has to be published, with its tarball")
            }
            let reason = ManifestFragments.reason(version.value["deprecated"])
            if reason != current.deprecated[version.key] { change.deprecations[version.key] = .some(reason) }
        }
        let kept = Set(versions.map(\.key))
        change.removedVersions = current.versions.subtracting(kept).sorted()
        change.tags = try Self.tags(sent["dist-tags"], current, kept)
        change.maintainers = try Self.maintainers(sent["maintainers"], current.maintainers)
        return change
    }

    private static func tags(_ sent: JSONValue?, _ current: Current, _ kept: Set<String>) throws(FormatError) -> [String: String?] {
        guard let sent else { return [:] }
        guard let members = sent.members else { throw FormatError(.invalidRequest, "«dist-tags» must be an object of versions") }
        var changed: [String: String?] = [:]
        for tag in members where tag.value.string != current.tags[tag.key] || tag.value.string == nil {
            guard let version = tag.value.string, kept.contains(version) else {
                throw FormatError(.invalidRequest, "the dist-tag «\(tag.key.prefix(100))» must name a version that is there")
            }
            changed[tag.key] = .some(version)
        }
        for tag in current.tags.keys where !members.contains(where: { $0.key == tag }) { changed[tag] = .some(nil) }
        return changed
    }

    private static func maintainers(_ sent: JSONValue?, _ current: JSONValue?) throws(FormatError) -> JSONValue? {
        guard let sent, sent != current else { return nil }
        guard let people = sent.elements, people.allSatisfy({ $0["name"]?.string?.isEmpty == false }) else {
            throw FormatError(.invalidRequest, "«maintainers» must be a list of objects, each with a «name»")
        }
        if people.isEmpty, current?.elements?.isEmpty ?? true { return nil }
        guard !people.isEmpty else { throw FormatError(.invalidRequest, "a package must keep an owner: add another one first") }
        return sent
    }
}
