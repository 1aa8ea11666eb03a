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
        let ground = try await self.ground(of: name, in: content)
        guard !body.attachments.isEmpty else {
            guard !ground.isNew else {
                throw FormatError(.invalidRequest, "there is no package «\(name)» that this could change, and a new one is published with its tarball")
            }
            let revision = try body.document["_rev"]?.string.map { text throws(FormatError) in try Revision(text) } ?? .any
            return try await self.change(name, revision, body.document, content)
        }
        let tarballs = body.attachments.compactMap { attachment in
            attachment.stored.blob.map { Publication.Tarball(file: attachment.name, blob: $0, declared: attachment.declaredLength) }
        }
        let (moment, principal) = (content.context.now(), content.context.principal)
        // Manifests are rendered: megabytes of them there may be.
        let publication = try await content.context.compute.run {
            try Publication(name, body.document, tarballs, by: principal, on: ground, at: moment)
        }
        try await self.commit(publication, content)
        var response = ArtifactResponse.json(.made(["ok": .bool(true), "success": .bool(true), "id": .string(name.text)]), status: .created)
        response.written = publication.versions.first?.blob.digests.first(.sha256)
        return response
    }

    private func ground(of name: NpmName, in content: any RepositoryContent) async throws -> Publication.Ground {
        let target = try content.writable()
        let row = try await target.list(ContentQuery(.package(name.package), limit: 1)).rows.first
        let latest = try await target.resolve(PointerName(package: name.package, kind: Packument.tag, name: "latest"))
        return Publication.Ground(
            attributes: PackageAttributes((row?.attributes ?? "{}").utf8),
            isNew: try await target.list(ContentQuery(.components(name.package), limit: 1)).rows.isEmpty, hasLatest: latest != nil)
    }

    private static func store(_ file: String, _ bytes: ByteStream, of name: NpmName, _ content: any RepositoryContent) async throws -> Stored {
        // What comes beside tarballs, such as a provenance bundle, is not served, and so not kept.
        guard let version = name.version(inFile: file) else { return Stored(blob: nil) }
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

    private func commit(_ publication: Publication, _ content: any RepositoryContent) async throws {
        let versions = publication.versions
        do {
            // Where the policy is `allow`, a version may be published again.
            try await content.commit(publication.edit(isAgain: content.context.replaces))
        } catch let refusal as Edit.Refused {
            switch refusal {
            case .requirement(let index) where index >= versions.count || content.context.replaces:
                throw FormatError(.invalidRequest, "a dist-tag names a version that is neither here nor coming: nothing was published", cause: refusal)
            case .requirement, .policy:
                var taken = versions.first?.version.text ?? ""
                if case .requirement(let index) = refusal { taken = versions[index].version.text }
                throw FormatError(.forbidden, "You cannot publish over the previously published versions: \(taken).", cause: refusal)
            case .link, .missing: throw FormatError(.conflict, "\(publication.name) has changed meanwhile; publish again", cause: refusal)
            }
        }
    }
}

extension NpmName {
    /// All that shows the package.
    var documents: Set<DocumentID> { Set(Packument.Key.Form.allCases.map { Packument.identifier(Packument.Key(package: self, form: $0)) }) }
}
