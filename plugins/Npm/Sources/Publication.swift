import ArtifactModel
import FormatAPI
import FoundationEssentials

/// What a publish comes to: its versions, checked and rendered, and the edit that makes them known.
struct Publication: Sendable {
    /// The package as it is before.
    struct Ground: Sendable {
        var attributes: PackageAttributes
        /// It has no version.
        var isNew: Bool
        var hasLatest: Bool
    }
    /// As it came, hashed and kept.
    struct Tarball: Sendable {
        var file: String
        var blob: StagedBlob
        /// In bytes, as the client has it.
        var declared: Int64?
    }
    struct Version: Sendable {
        var version: NpmVersion
        var blob: StagedBlob
        var fragments: ManifestFragments
    }

    private static let mostTags = 1000
    let name: NpmName
    let versions: [Version]
    private let tags: [(name: String, version: String)]
    private let principal: String
    private let ground: Ground

    /// Work for the pool.
    /// - Throws: `.invalidRequest`, `.digestMismatch`.
    init(
        _ name: NpmName, _ document: JSONValue, _ tarballs: [Tarball], by principal: String, on ground: Ground, at moment: Timestamp
    ) throws(FormatError) {
        guard !tarballs.isEmpty else {
            throw FormatError(.invalidRequest, "the publish of \(name) brings no tarball: no attachment is called \(name.base)-<version>.tgz")
        }
        if ground.isNew, !name.isPublishable {
            throw FormatError(
                .invalidRequest, "a new package cannot be called «\(name)»: small letters, digits and -._ only, and no underscore or hyphen first")
        }
        (self.name, self.principal, self.ground) = (name, principal, ground)
        self.tags = try Self.tags(document)
        var versions: [Version] = []
        for tarball in tarballs {
            let version = try Self.version(tarball, of: name, document, moment)
            guard !versions.contains(where: { $0.version == version.version }) else {
                throw FormatError(.invalidRequest, "the publish of \(name) brings version \(version.version) twice")
            }
            versions.append(version)
        }
        self.versions = versions
    }

    private static func tags(_ document: JSONValue) throws(FormatError) -> [(name: String, version: String)] {
        let sent = document["dist-tags"]?.members ?? []
        guard sent.count <= Self.mostTags else { throw FormatError(.invalidRequest, "a publish sets \(Self.mostTags) dist-tags at most") }
        var tags: [(String, String)] = []
        for tag in sent {
            guard let version = tag.value.string, NpmVersion(bytes: version.utf8) != nil else {
                throw FormatError(.invalidRequest, "the dist-tag «\(tag.key.prefix(100))» does not name a version")
            }
            tags.append((try NpmRegistry.tag(tag.key), version))
        }
        return tags
    }

    private static func version(_ tarball: Tarball, of name: NpmName, _ document: JSONValue, _ moment: Timestamp) throws(FormatError) -> Version {
        let file = tarball.file.prefix(300)
        guard let version = name.version(inFile: tarball.file), let manifest = document["versions"]?[version.text] else {
            throw FormatError(.invalidRequest, "the attachment \(file) belongs to a version that «versions» does not have")
        }
        if let declared = tarball.declared, declared != tarball.blob.size {
            throw FormatError(.invalidRequest, "the attachment \(file) has \(tarball.blob.size) bytes, and says that it has \(declared): nothing was published")
        }
        guard tarball.blob.size > 0 else { throw FormatError(.invalidRequest, "the attachment \(file) is empty: nothing was published") }
        let integrity = Integrity(manifest["dist"])
        guard !integrity.isHopeless, integrity.admits(tarball.blob.digests) else {
            throw FormatError(
                .digestMismatch, "the tarball of \(name)@\(version) is not what its manifest says (dist.integrity, dist.shasum): nothing was published")
        }
        guard let sha1 = tarball.blob.digests.first(.sha1), let sha512 = tarball.blob.digests.first(.sha512) else {
            throw FormatError(.internalFailure, "the tarball was not hashed as it had to be")
        }
        let digests = ManifestFragments.Digests(sha1: sha1.hex, sha512: Data(sha512.bytes).base64EncodedString())
        return Version(
            version: version, blob: tarball.blob, fragments: try ManifestFragments(manifest, name, version, digests, published: moment))
    }

    // MARK: The edit

    /// Its requirements are those of the versions, one each, where they may not be there; then those of the tags.
    /// - Parameter isAgain: whether a version may take the place of the one that is there.
    func edit(isAgain: Bool) -> Edit {
        var changes: [Edit.Change] = self.versions.map { version in
            let path = AssetPath(checked: self.name.tarballPath(version.version))
            let asset = NewAsset(path, version.blob, contentType: "application/octet-stream")
            return .put(
                Component(
                    self.coordinates(version.version.text), sortKey: version.version.sortKey, assets: [asset], fragments: version.fragments.fragments))
        }
        changes.append(.patchPackage(self.name.package, with: self.patch.text))
        for tag in self.tags {
            changes.append(.point(PointerName(package: self.name.package, kind: Packument.tag, name: tag.name), to: tag.version, .always))
        }
        let coming = Set(self.versions.map(\.version.text))
        let there = Set(self.tags.map(\.version)).subtracting(coming).sorted().map { self.coordinates($0) }
        let absent = isAgain ? [] : self.versions.map { Edit.Requirement.absent(self.coordinates($0.version.text)) }
        return Edit(requiring: absent + (there.isEmpty ? [] : [.present(there)]), changes, touching: self.name.documents)
    }

    private func coordinates(_ version: String) -> Coordinates { Coordinates(package: self.name.package, version: version) }

    /// What the package's row says after it; what others say of it meanwhile stays.
    private var patch: JSONValue {
        let moment = self.versions.last?.fragments.summary["date"] ?? .null
        var members: [JSONValue.Member] = [.init("modified", moment)]
        if self.ground.attributes.created == nil || self.ground.isNew { members.append(.init("created", moment)) }
        if self.ground.attributes.maintainers == nil || self.ground.isNew {
            let person = self.principal.isEmpty ? "anonymous" : self.principal
            members.append(.init("maintainers", .array([.made(["name": .string(person), "email": .string("")])])))
        }
        let deprecated = self.versions.map { JSONValue.Member($0.version.text, $0.fragments.deprecated.map { .string($0) } ?? .null) }
        members.append(.init("deprecated", .object(deprecated)))
        if let shown = self.shown { members.append(.init("latest", shown.fragments.summary)) }
        return .object(members)
    }

    /// The version that lists show of the package from now on; nil: as before.
    private var shown: Version? {
        guard let latest = self.tags.first(where: { $0.name == "latest" })?.version else { return self.ground.hasLatest ? nil : self.versions.last }
        return self.versions.first { $0.version.text == latest }
    }
}
