import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore

extension OCIFormat {
    /// The manifest, its edges and its tags, in one commit; what it names must be here by then.
    func write(
        _ reference: Reference, _ tags: [Tag], of image: ImageName, _ exchange: Exchange, _ settings: OCISettings
    ) async throws -> ArtifactResponse {
        guard let bytes = try await exchange.request.body.collect(upTo: Manifest.largest) else {
            throw FormatError(.tooLarge, "a manifest may have \(Manifest.largest >> 20) MiB", detail: "SIZE_INVALID")
        }
        let declared = exchange.request.head.headers[.contentType]
        let manifest = try await exchange.content.context.compute.run { try Manifest(bytes, declared: declared) }
        let push = try await self.staged(manifest, bytes, reference, tags, of: image, exchange)
        if exchange.content.adopts { try await Adoption(image: image, content: exchange.content).parts(of: manifest) }
        try await push.commit(to: exchange.content, settings)
        var response = Self.created(push.digest, exchange.links.manifest(push.digest, of: image))
        if let subject = manifest.subject { response.headers[.subject] = subject.description }
        for tag in tags { response.headers.append(HTTPField(name: .ociTag, value: tag.text)) }
        return response
    }

    private func staged(
        _ manifest: Manifest, _ bytes: ByteBuffer, _ reference: Reference, _ tags: [Tag], of image: ImageName, _ exchange: Exchange
    ) async throws -> ManifestPush {
        switch reference {
        case .digest(let digest):
            let demand = StageDemand(expecting: [digest], computing: [digest.algorithm])
            let blob = try await exchange.content.stage(.once(bytes), demand)
            return ManifestPush(image: image, digest: digest, tags: tags, manifest: manifest, blob: blob)
        case .tag(let tag):
            let blob = try await exchange.content.stage(.once(bytes), StageDemand())
            guard let digest = blob.digests.first(.sha256) else { throw FormatError(.internalFailure, "the manifest was not hashed") }
            return ManifestPush(image: image, digest: digest, tags: [tag], manifest: manifest, blob: blob)
        }
    }
}

/// A manifest whose bytes are kept, about to be made visible.
struct ManifestPush: Sendable {
    let image: ImageName
    /// The one that the client pushed by; SHA-256 where it pushed by tag.
    let digest: ContentDigest
    let tags: [Tag]
    let manifest: Manifest
    let blob: StagedBlob
    /// The asset's: what an upstream said of it.
    var attributes: [String: String] = [:]

    func commit(to content: any RepositoryContent, _ settings: OCISettings) async throws {
        let demanded = self.manifest.parts.filter { $0.demand == .blob || ($0.demand == .manifest && settings.missingChildren == .refuse) }
        // One requirement for each, so that the refusal says which is missing.
        let requirements = demanded.map { part -> Edit.Requirement in
            part.demand == .blob ? .linked([self.image.blob(part.digest)]) : .present([self.image.coordinates(part.digest)])
        }
        let pointers = self.tags.map { Edit.Change.point(self.image.pointer($0), to: self.digest.description, Self.redeploy($0, settings)) }
        do {
            try await content.commit(Edit(requiring: requirements, [.put(self.component)] + pointers))
        } catch let refusal as Edit.Refused {
            throw self.failure(refusal, demanded)
        }
    }

    var component: Component {
        let asset = NewAsset(self.image.manifest(self.digest), self.blob, contentType: self.manifest.mediaType, attributes: self.attributes)
        var edges = self.manifest.parts.map { Edge(kind: $0.edge, target: $0.digest) }
        if let subject = self.manifest.subject {
            edges.append(Edge(kind: OCIFormat.subjectKind, target: subject, artifactType: self.manifest.record.artifactType ?? ""))
        }
        var seen: Set<Edge> = []
        return Component(
            self.image.coordinates(self.digest), attributes: JSON.text(self.manifest.record), assets: [asset], edges: edges.filter { seen.insert($0).inserted })
    }

    /// Tags that clients rewrite by design (lists of referrers, signatures) and those the operator named may move under any policy.
    private static func redeploy(_ tag: Tag, _ settings: OCISettings) -> Edit.Redeploy {
        tag.isReferrersTag || settings.mutableTags.contains { TagPattern.matches($0, tag.text) } ? .always : .byPolicy
    }

    private func failure(_ refusal: Edit.Refused, _ demanded: [Manifest.Part]) -> FormatError {
        switch refusal {
        case .requirement(let index) where demanded.indices.contains(index):
            let part = demanded[index]
            let what = part.demand == .blob ? "blob" : "manifest"
            return FormatError(
                .invalidRequest, "\(self.image) has no \(what) \(part.digest), which the manifest names; push that first",
                detail: "MANIFEST_BLOB_UNKNOWN \(part.digest)", cause: refusal)
        case .policy(let index) where index >= 1 && index <= self.tags.count:
            return FormatError(
                .conflict,
                "the tag «\(self.tags[index - 1])» of \(self.image) names another manifest, and writePolicy allowOnce keeps it so; push under a new tag, "
                    + "have it listed in mutableTags, or delete it first", detail: "DENIED", cause: refusal)
        case .requirement, .policy, .link, .missing:
            return FormatError(
                .conflict, "the manifest could not be kept: something that it depends on has changed; push again", detail: "DENIED", cause: refusal)
        }
    }
}
