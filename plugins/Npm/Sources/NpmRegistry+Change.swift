import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore

/// A hosted package as it stands.
struct Standing: Sendable {
    var attributes: PackageAttributes
    var versions: Set<String>
    var tags: [String: String]
    var isNew: Bool { self.versions.isEmpty }
}

extension NpmRegistry {
    /// Of what takes the writes.
    func standing(of name: NpmName, in content: any RepositoryContent) async throws -> Standing {
        let target = try content.writable()
        let row = try await target.list(ContentQuery(.package(name.package), limit: 1)).rows.first
        var standing = Standing(attributes: PackageAttributes((row?.attributes ?? "{}").utf8), versions: [], tags: [:])
        for row in try await Self.all(.components(name.package), in: target) { standing.versions.insert(row.name) }
        for row in try await Self.all(.pointers(name.package, kind: Packument.tag), in: target) { standing.tags[row.name] = row.target }
        return standing
    }

    private static func all(_ subject: ContentQuery.Subject, in content: any RepositoryContent) async throws -> [ContentRow] {
        var rows: [ContentRow] = []
        while true {
            let page = try await content.list(ContentQuery(subject, after: rows.last?.name, limit: 1000))
            rows += page.rows
            guard page.more, !page.rows.isEmpty else { return rows }
        }
    }

    func change(_ name: NpmName, _ revision: Revision, _ request: ArtifactRequest, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let document = try await request.json(upTo: 16 << 20, content.context)
        return try await self.change(name, revision, document, content)
    }

    /// What a whole packument says that is different from what is there: versions that are gone, words about others, owners, dist-tags.
    func change(_ name: NpmName, _ revision: Revision, _ document: JSONValue, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let current = try await self.standing(of: name, in: content)
        guard !current.isNew else { throw Self.absent(name) }
        let known = PackumentChange.Current(
            versions: current.versions, tags: try await self.shownTags(of: name, current, content), deprecated: current.attributes.deprecated,
            maintainers: current.attributes.maintainers)
        // A whole packument is compared: megabytes of them there are.
        let change = try await content.context.compute.run { try Self.change(document, known) }
        guard change.removedVersions.isEmpty || content.context.isAllowed(Access(.delete, path: name.text)) else {
            throw FormatError(.forbidden, "taking versions of \(name) away needs the right to delete, beside that to write")
        }
        if !change.isEmpty { try await self.commit(try await self.edit(change, name, current, content), revision, name, content) }
        return Self.done(name)
    }

    /// `npm owner` sends who owns it, and no versions: those stay as they are.
    private static func change(_ document: JSONValue, _ known: PackumentChange.Current) throws(FormatError) -> PackumentChange {
        var sent = document
        let isWhole = sent["versions"] != nil
        if !isWhole { sent["versions"] = .object(known.versions.map { JSONValue.Member($0, .object([])) }) }
        var change = try PackumentChange.difference(of: sent, against: known)
        if !isWhole { change.deprecations = [:] }
        for tag in change.tags.keys { _ = try Self.tag(tag) }
        return change
    }

    /// As clients see them: a `latest` that is made up for them is no change where they send it back.
    private func shownTags(of name: NpmName, _ current: Standing, _ content: any RepositoryContent) async throws -> [String: String] {
        guard current.tags["latest"] == nil else { return current.tags }
        let key = Packument.Key(package: name, form: .abbreviated)
        let outlines = try await content.writable().outlines(Packument.self, key, .asConfigured)?.parts ?? []
        return current.tags.merging(PackumentMerge.tags(of: outlines).filter { $0.name == "latest" }.map { ($0.name, $0.version) }) { own, _ in own }
    }

    /// What lists show of the version that `latest` will name; nil: as it is.
    private func summary(of version: String?, _ name: NpmName, _ content: any RepositoryContent) async throws -> JSONValue? {
        let key = Packument.Key(package: name, form: .full)
        guard let text = version, let version = NpmVersion(bytes: text.utf8),
            let entry = try await content.writable().entry(Packument.self, key, section: "versions", name: text)
        else { return nil }
        let outlines = try await content.writable().outlines(Packument.self, key, .asConfigured)?.parts ?? []
        let time = outlines.compactMap { $0.entry("time", text) }.first.map { String(decoding: $0.sortKey, as: UTF8.self) }
        let bytes = entry.bytes
        return try await content.context.compute.run { ManifestFragments.summary(try JSONValue(bytes.readableBytesView), version, time ?? "") }
    }

    private func edit(_ change: PackumentChange, _ name: NpmName, _ current: Standing, _ content: any RepositoryContent) async throws -> Edit {
        let removed = Set(change.removedVersions)
        let moved = change.tags["latest"] ?? nil
        let latest = moved ?? current.tags["latest"].flatMap { removed.contains($0) ? nil : $0 }
        let next = latest ?? current.versions.subtracting(removed).compactMap { NpmVersion(bytes: $0.utf8) }.max()?.text
        let shown = next == current.attributes.latest?["version"]?.string ? nil : try await self.summary(of: next, name, content)
        var changes: [Edit.Change] = []
        if removed == current.versions {
            changes.append(.setPackage(name.package, attributes: "{}"))
        } else {
            changes.append(.patchPackage(name.package, with: Self.patch(change, shown, content.context.now()).text))
        }
        changes += change.removedVersions.map { .remove(Coordinates(package: name.package, version: $0)) }
        for (tag, version) in change.tags.sorted(by: { $0.key < $1.key }) {
            let pointer = PointerName(package: name.package, kind: Packument.tag, name: tag)
            if let version {
                changes.append(.point(pointer, to: version, .always))
            } else if let target = current.tags[tag], !removed.contains(target) {
                // Those of a version that goes go with it.
                changes.append(.unpoint(pointer))
            }
        }
        return Edit(changes, touching: name.documents)
    }

    private static func patch(_ change: PackumentChange, _ latest: JSONValue?, _ moment: Timestamp) -> JSONValue {
        var deprecated = change.deprecations.map { JSONValue.Member($0.key, $0.value.map { .string($0) } ?? .null) }
        deprecated += change.removedVersions.map { JSONValue.Member($0, .null) }
        var members: [JSONValue.Member] = [.init("deprecated", .object(deprecated.sorted { $0.key < $1.key })), .text("modified", moment.isoText)]
        if let latest { members.append(.init("latest", latest)) }
        if let maintainers = change.maintainers { members.append(.init("maintainers", maintainers)) }
        return .object(members)
    }

    func removePackage(_ name: NpmName, _ revision: Revision, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let current = try await self.standing(of: name, in: content)
        guard !current.isNew else { throw Self.absent(name) }
        let removals = current.versions.sorted().map { Edit.Change.remove(Coordinates(package: name.package, version: $0)) }
        let edit = Edit([.setPackage(name.package, attributes: "{}")] + removals, touching: name.documents)
        try await self.commit(edit, revision, name, content)
        return Self.done(name)
    }

    /// `npm unpublish` of a version sends the packument without it first, and then this: by then there is nothing left to do.
    func remove(_ name: NpmName, _ version: NpmVersion, _ revision: Revision, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let current = try await self.standing(of: name, in: content)
        guard current.versions.contains(version.text) else { return Self.done(name) }
        var change = PackumentChange()
        change.removedVersions = [version.text]
        try await self.commit(try await self.edit(change, name, current, content), revision, name, content)
        return Self.done(name)
    }

    private func commit(_ edit: Edit, _ revision: Revision, _ name: NpmName, _ content: any RepositoryContent) async throws {
        var edit = edit
        if let generation = revision.generation {
            edit.requirements = [.generation(Packument.identifier(Packument.Key(package: name, form: .full)), generation)]
        }
        do {
            try await content.commit(edit)
        } catch let refusal as Edit.Refused {
            throw FormatError(.conflict, "\(name) has changed since you got it (its _rev is another one now): get it again with ?write=true", cause: refusal)
        }
    }

    private static func done(_ name: NpmName) -> ArtifactResponse {
        .json(.made(["ok": .bool(true), "success": .bool(true), "id": .string(name.text)]), status: .created)
    }

    // MARK: Dist-tags

    func tags(_ name: NpmName, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let key = Packument.Key(package: name, form: .abbreviated)
        guard let outlines = try await content.outlines(Packument.self, key, .asConfigured) else { throw Self.absent(name) }
        var response = ArtifactResponse.json(.object(PackumentMerge.tags(of: outlines.parts).map { .text($0.name, $0.version) }))
        response.mark(skipped: outlines.skippedMembers)
        return response
    }

    func setTag(_ name: NpmName, _ tag: String, _ request: ArtifactRequest, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        guard let version = try await request.json(upTo: 4 << 10, content.context).string else {
            throw FormatError(.invalidRequest, "a dist-tag is set by sending the version that it is to name, as a JSON string")
        }
        let pointer = PointerName(package: name.package, kind: Packument.tag, name: tag)
        let shown = tag == "latest" ? try await self.summary(of: version, name, content) : nil
        let edit = Edit(
            requiring: [.present([Coordinates(package: name.package, version: version)])],
            [.point(pointer, to: version, .always), .patchPackage(name.package, with: Self.patch(PackumentChange(), shown, content.context.now()).text)],
            touching: name.documents)
        do {
            try await content.commit(edit)
        } catch let refusal as Edit.Refused {
            throw FormatError(.notFound, "\(name) has no version «\(version.prefix(100))» that «\(tag)» could name", cause: refusal)
        }
        return Self.done(name)
    }

    func removeTag(_ name: NpmName, _ tag: String, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        guard tag != "latest" else { throw FormatError(.invalidRequest, "«latest» can be moved, and not removed: set it to another version") }
        do {
            try await content.commit(
                Edit(
                    [
                        .unpoint(PointerName(package: name.package, kind: Packument.tag, name: tag)),
                        .patchPackage(name.package, with: Self.patch(PackumentChange(), nil, content.context.now()).text),
                    ], touching: name.documents))
        } catch let refusal as Edit.Refused {
            throw FormatError(.notFound, "\(name) has no dist-tag «\(tag.prefix(100))»", cause: refusal)
        }
        return Self.done(name)
    }
}
