import ArtifactModel
import HTTPTypes

/// Whether a request's conditions hold for what would be sent. RFC 9110, 13.2.2 gives the order.
struct Conditions {
    enum Verdict: Hashable { case proceed, notModified, failed }

    var headers: HTTPFields

    init(_ headers: HTTPFields) { self.headers = headers }

    func verdict(entityTag: EntityTag?, lastModified: Timestamp?, safe: Bool) -> Verdict {
        self.verdict(entityTags: entityTag.map { [$0] } ?? [], lastModified: lastModified, safe: safe)
    }

    /// - Parameters:
    ///   - entityTags: of all forms that there are of it: each is as good as the others.
    ///   - safe: the method is GET or HEAD.
    func verdict(entityTags: [EntityTag], lastModified: Timestamp?, safe: Bool) -> Verdict {
        let modified = lastModified.map { $0.milliseconds / 1000 }
        if let list = self.list(.ifMatch) {
            guard Self.matches(list, entityTags, { $0.matchesStrongly($1) }) else { return .failed }
        } else if let since = self.date(.ifUnmodifiedSince), let modified, modified > since {
            return .failed
        }
        if let list = self.list(.ifNoneMatch) {
            guard Self.matches(list, entityTags, { $0.matchesWeakly($1) }) else { return .proceed }
            return safe ? .notModified : .failed
        }
        if safe, let since = self.date(.ifModifiedSince), let modified, modified <= since { return .notModified }
        return .proceed
    }

    /// Whether `Range` counts: there is no `If-Range`, or it names exactly what would be sent. RFC 9110, 13.1.5.
    func rangeHolds(entityTag: EntityTag?, lastModified: Timestamp?) -> Bool {
        guard let condition = self.headers[.ifRange]?.trimmedSpace else { return true }
        if let date = HTTPDate.seconds(condition) { return lastModified.map { $0.milliseconds / 1000 == date } ?? false }
        return entityTag?.matchesStrongly(EntityTag(condition)) ?? false
    }

    /// Of the tags of the forms that there are, the one that `If-None-Match` names; the first where it names none.
    func known(of tags: [String]) -> String? {
        guard case .tags(let known) = self.list(.ifNoneMatch) else { return tags.first }
        return tags.first { tag in known.contains { $0.matchesWeakly(EntityTag(tag)) } } ?? tags.first
    }

    private static func matches(_ list: EntityTagList, _ current: [EntityTag], _ same: (EntityTag, EntityTag) -> Bool) -> Bool {
        switch list {
        case .any: true
        case .tags(let tags): current.contains { tag in tags.contains { same($0, tag) } }
        }
    }

    private func list(_ name: HTTPField.Name) -> EntityTagList? { self.headers[name].map { EntityTagList($0) } }
    private func date(_ name: HTTPField.Name) -> Int64? { self.headers[name].flatMap { HTTPDate.seconds($0.trimmedSpace) } }
}
