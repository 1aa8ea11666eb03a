import ArtifactModel
import FormatAPI
import FoundationEssentials
import HTTPTypes
import NIOCore

extension NpmRegistry {
    private struct Stored: Sendable {
        /// nil: nothing that is kept.
        var blob: StagedBlob?
    }

    /// A new version, with its tarball; or, without one, the whole packument sent back, as `npm deprecate` does.
    func publish(_ name: NpmName, _ request: ArtifactRequest, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let body = try await PublishReader(pool: content.context.compute).read(request.body) { file, bytes in
            try await Self.store(file, bytes, of: name, content)
        }
        try Self.check(body.document, isOf: name)
        guard !body.attachments.isEmpty else {
            guard try await !self.standing(of: name, in: content).isNew else {
                throw FormatError(.invalidRequest, "there is no package «\(name)» that this could change, and a new one is published with its tarball")
            }
            let revision = try body.document["_rev"]?.string.map { text throws(FormatError) in try Revision(text) } ?? .any
            return try await self.change(name, revision, body.document, content)
        }
        let tarballs = body.attachments.filter { $0.stored.blob != nil }
        guard !tarballs.isEmpty else {
            throw FormatError(.invalidRequest, "the publish of \(name) brings no tarball: no attachment is called \(name.base)-<version>.tgz")
        }
        let current = try await self.standing(of: name, in: content)
        if current.isNew, !name.isPublishable {
            throw FormatError(
                .invalidRequest, "a new package cannot be called «\(name)»: small letters, digits and -._ only, and no underscore or hyphen first")
        }
        let publication = try Publication(name, body.document, by: content.context.principal, current)
        var versions: [Publication.Version] = []
        for tarball in tarballs {
            guard let blob = tarball.stored.blob else { continue }
            versions.append(try publication.version(of: tarball.name, blob, declared: tarball.declaredLength, at: Self.now))
        }
        try await self.commit(publication, versions, content)
        var response = ArtifactResponse.json(.made(["ok": .bool(true), "success": .bool(true), "id": .string(name.text)]), status: .created)
        response.written = versions.first?.blob.digests.first(.sha256)
        return response
    }

    static var now: Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    private static func store(_ file: String, _ bytes: ByteStream, of name: NpmName, _ content: any RepositoryContent) async throws -> Stored {
        // What comes beside tarballs, such as a provenance bundle, is not served, and so not kept.
        let bare = file.hasPrefix(name.scope + "/") && !name.scope.isEmpty ? String(file.dropFirst(name.scope.count + 1)) : file
        guard bare.hasSuffix(".tgz"), bare.hasPrefix(name.base + "-"),
            let version = NpmVersion(bytes: bare.utf8.dropFirst(name.base.utf8.count + 1).dropLast(4))
        else { return Stored(blob: nil) }
        let path = AssetPath(checked: name.tarballPath(version))
        return Stored(blob: try await content.stage(bytes, StageDemand(target: path, computing: [.sha1, .sha512])))
    }

    private static func check(_ document: JSONValue, isOf name: NpmName) throws(FormatError) {
        guard document.members != nil else { throw FormatError(.invalidRequest, "a package is published as a JSON object") }
        for key in ["_id", "name"] {
            guard let said = document[key] else { continue }
            guard said.string == name.text else {
                throw FormatError(.invalidRequest, "this is the document of another package: «\(key)» is not «\(name)», to which it was sent")
            }
        }
    }

    private func commit(_ publication: Publication, _ versions: [Publication.Version], _ content: any RepositoryContent) async throws {
        // In `allow` a version may be published again.
        let requirements = content.context.replaces ? [] : versions.map { Edit.Requirement.absent($0.coordinates) }
        do {
            try await content.commit(publication.edit(versions, requiring: requirements))
        } catch let refusal as Edit.Refused {
            let version = versions.first { _ in true }?.version.text ?? ""
            switch refusal {
            case .requirement(let index):
                let taken = index < versions.count ? versions[index].version.text : version
                throw FormatError(.forbidden, "You cannot publish over the previously published versions: \(taken).", cause: refusal)
            case .policy: throw FormatError(.forbidden, "You cannot publish over the previously published versions: \(version).", cause: refusal)
            case .link, .missing: throw FormatError(.conflict, "\(publication.name) has changed meanwhile; publish again", cause: refusal)
            }
        }
    }
}

/// What a publish says of its package.
struct Publication: Sendable {
    struct Version: Sendable {
        var version: NpmVersion
        var coordinates: Coordinates
        var blob: StagedBlob
        var fragments: ManifestFragments
    }

    private static let mostTags = 1000
    let name: NpmName
    private let document: JSONValue
    private let principal: String
    private let current: Standing
    private let tags: [(name: String, version: String)]

    /// - Throws: `.invalidRequest` for tags that are none, and for those of versions that are neither here nor coming.
    init(_ name: NpmName, _ document: JSONValue, by principal: String, _ current: Standing) throws(FormatError) {
        self.name = name
        self.document = document
        self.principal = principal
        self.current = current
        var tags: [(String, String)] = []
        let sent = document["dist-tags"]?.members ?? []
        guard sent.count <= Self.mostTags else { throw FormatError(.invalidRequest, "a publish sets \(Self.mostTags) dist-tags at most") }
        let coming = Set((document["versions"]?.members ?? []).map(\.key))
        for tag in sent {
            guard let version = tag.value.string, NpmVersion(bytes: version.utf8) != nil else {
                throw FormatError(.invalidRequest, "the dist-tag «\(tag.key.prefix(100))» does not name a version")
            }
            _ = try NpmRegistry.tag(tag.key)
            guard current.versions.contains(version) || coming.contains(version) else {
                throw FormatError(
                    .invalidRequest, "the dist-tag «\(tag.key.prefix(100))» names version \(version.prefix(100)), which is neither here nor coming")
            }
            tags.append((tag.key, version))
        }
        self.tags = tags
    }

    /// - Parameter file: the attachment's name, which ends with a version.
    /// - Throws: `.invalidRequest`.
    func version(of file: String, _ blob: StagedBlob, declared: Int64?, at moment: Timestamp) throws(FormatError) -> Version {
        let bare = file.hasPrefix(self.name.scope + "/") && !self.name.scope.isEmpty ? String(file.dropFirst(self.name.scope.count + 1)) : file
        let text = String(bare.dropFirst(self.name.base.count + 1).dropLast(4))
        let version = try NpmVersion(text)
        guard let manifest = self.document["versions"]?[version.text] else {
            throw FormatError(.invalidRequest, "the attachment \(file.prefix(300)) belongs to version \(version), which «versions» does not have")
        }
        if let declared, declared != blob.size {
            throw FormatError(
                .invalidRequest, "the attachment \(file.prefix(300)) has \(blob.size) bytes, and says that it has \(declared): nothing was published")
        }
        guard let sha1 = blob.digests.first(.sha1), let sha512 = blob.digests.first(.sha512) else {
            throw FormatError(.internalFailure, "the tarball was not hashed as it had to be")
        }
        guard blob.size > 0 else { throw FormatError(.invalidRequest, "the attachment \(file.prefix(300)) is empty: nothing was published") }
        let integrity = Integrity(manifest["dist"])
        guard !integrity.isHopeless, integrity.admits(blob.digests) else {
            throw FormatError(
                .digestMismatch, "the tarball of \(self.name)@\(version) is not what its manifest says (dist.integrity, dist.shasum): nothing was published")
        }
        let digests = ManifestFragments.Digests(sha1: sha1.hex, sha512: Data(sha512.bytes).base64EncodedString())
        let fragments = try ManifestFragments(manifest, self.name, version, digests, published: moment)
        return Version(version: version, coordinates: Coordinates(package: self.name.package, version: version.text), blob: blob, fragments: fragments)
    }

    func edit(_ versions: [Version], requiring requirements: [Edit.Requirement]) -> Edit {
        var changes: [Edit.Change] = versions.map { version in
            let asset = NewAsset(
                AssetPath(checked: self.name.tarballPath(version.version)), version.blob, contentType: "application/octet-stream")
            return .put(
                Component(version.coordinates, sortKey: version.version.sortKey, assets: [asset], fragments: version.fragments.fragments))
        }
        changes.append(.patchPackage(self.name.package, with: self.patch(versions).text))
        for tag in self.tags where versions.contains(where: { $0.version.text == tag.version }) || self.current.versions.contains(tag.version) {
            changes.append(.point(PointerName(package: self.name.package, kind: Packument.tag, name: tag.name), to: tag.version, .always))
        }
        return Edit(requiring: requirements, changes, touching: self.name.documents)
    }

    /// What the package's row says after it; what others say of it meanwhile stays.
    private func patch(_ versions: [Version]) -> JSONValue {
        let moment = versions.last?.fragments.summary["date"] ?? .null
        var members: [JSONValue.Member] = [.init("modified", moment)]
        if self.current.attributes.created == nil || self.current.isNew { members.append(.init("created", moment)) }
        if self.current.attributes.maintainers == nil || self.current.isNew {
            let person = self.principal.isEmpty ? "anonymous" : self.principal
            members.append(.init("maintainers", .array([.made(["name": .string(person), "email": .string("")])])))
        }
        let deprecated = versions.map { JSONValue.Member($0.version.text, $0.fragments.deprecated.map { .string($0) } ?? .null) }
        members.append(.init("deprecated", .object(deprecated)))
        let latest = self.tags.first { $0.name == "latest" }?.version
        if let shown = versions.first(where: { $0.version.text == latest }) ?? (self.current.tags["latest"] == nil && latest == nil ? versions.last : nil) {
            members.append(.init("latest", shown.fragments.summary))
        }
        return .object(members)
    }
}

extension NpmName {
    /// All that shows the package.
    var documents: Set<DocumentID> { Set(Packument.Key.Form.allCases.map { Packument.identifier(Packument.Key(package: self, form: $0)) }) }
}
