import ArtifactModel
import FormatAPI
import HTTPTypes

extension OCIFormat {
    static let blobType = "application/octet-stream"

    /// containerd asks for manifests at the address of blobs too, and keeps the type that it sees there; so GET and HEAD alike answer
    /// with the manifest and its type.
    func blob(_ digest: ContentDigest, of image: ImageName, _ exchange: Exchange, _ settings: OCISettings) async throws -> ArtifactResponse {
        // Clients ask by HEAD before a push, and do not send what is here: it must stay until their manifest comes.
        let renewal = exchange.request.head.method == .head ? settings.renewingAge : nil
        if let content = try await exchange.content.content(image.request(blob: digest, renewingAfter: renewal)) {
            return Self.answer(content, digest, .immutable)
        }
        if let content = try await exchange.content.content(image.request(keptManifest: digest)) {
            return Self.answer(content, digest, .immutable)
        }
        throw Self.unknownBlob(digest, image)
    }

    static func answer(_ content: Content, _ digest: ContentDigest, _ change: Mutability) -> ArtifactResponse {
        var content = content
        content.head.entityTag = "\"\(digest)\""
        content.head.change = change
        return ArtifactResponse(.ok, headers: [.contentDigest: digest.description], body: .content(content)).repeatable
    }

    /// Of this image only: what other images link stays theirs.
    func remove(blob digest: ContentDigest, of image: ImageName, _ exchange: Exchange) async throws -> ArtifactResponse {
        do {
            try await exchange.content.commit(Edit([.removeAsset(image.blob(digest))]))
        } catch let refusal as Edit.Refused {
            guard case .missing = refusal else { throw refusal }
            throw Self.unknownBlob(digest, image)
        }
        return ArtifactResponse(.accepted)
    }

    /// In one request: `POST …/uploads/?digest=` with the bytes.
    func upload(_ digest: ContentDigest, to image: ImageName, _ exchange: Exchange) async throws -> ArtifactResponse {
        let staged = try await exchange.content.stage(exchange.request.body, StageDemand(expecting: [digest], computing: [digest.algorithm]))
        return try await self.link(staged, digest, to: image, exchange)
    }

    /// Blobs are beyond the write policy: equal bytes come again with every push, from many clients at once.
    func link(_ staged: StagedBlob, _ digest: ContentDigest, to image: ImageName, _ exchange: Exchange) async throws -> ArtifactResponse {
        let asset = NewAsset(image.blob(digest), staged, contentType: Self.blobType)
        try await exchange.content.commit(Edit([.putAsset(asset, .always), .renew(asset.path)]))
        return Self.created(digest, exchange.links.blob(digest, of: image))
    }

    /// A second name for bytes that are here. Not there, not readable, not a name: the client is told to upload, never why.
    func mount(_ digest: ContentDigest, to image: ImageName, from source: String, _ exchange: Exchange) async throws -> ArtifactResponse {
        for candidate in Self.sources(source, of: digest, exchange) {
            do {
                let blob = candidate.image.blob(digest)
                let link = Edit.Change.link(image.blob(digest), from: candidate.repository, blob, reading: candidate.image.text)
                try await exchange.content.commit(Edit([link, .renew(image.blob(digest))]))
                return Self.created(digest, exchange.links.blob(digest, of: image))
            } catch is Edit.Refused {
                continue
            }
        }
        return try await self.beginUpload(to: image, exchange)
    }

    /// What a client may mean by `from`. First what the name leads to in the client's own URLs: a short name is the default repository's,
    /// below whatever repository it is asked. Then, where it is behind another root, the name with its repository before it.
    private static func sources(_ text: String, of digest: ContentDigest, _ exchange: Exchange) -> [(repository: RepositoryName, image: ImageName)] {
        let own = exchange.content.context.repository
        let path = exchange.links.base + text.split(separator: "/", omittingEmptySubsequences: false).map(String.init) + ["blobs", "\(digest)"]
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var found: [(repository: RepositoryName, image: ImageName)] = []
        if let (repository, rest) = exchange.content.context.destination(path), let address = Address(rest), case .blob = address.place,
            let image = try? ImageName(address.image)  // no name is no source
        {
            found.append((repository, image))
        }
        // No name is no source, here as well.
        if exchange.links.repositoryPrefix == nil, let image = try? ImageName(text) { found.append((own, image)) }
        if parts.count == 2, let repository = try? RepositoryName(parts[0]), let image = try? ImageName(parts[1]) {
            found.append((exchange.links.repositoryPrefix == parts[0] ? own : repository, image))
        }
        return found
    }

    static func created(_ digest: ContentDigest, _ location: String) -> ArtifactResponse {
        var response = ArtifactResponse(.created, headers: [.location: location, .contentDigest: digest.description])
        response.written = digest
        return response
    }

    private static func unknownBlob(_ digest: ContentDigest, _ image: ImageName) -> FormatError {
        FormatError(.notFound, "\(image) has no blob \(digest)", detail: "BLOB_UNKNOWN \(digest)")
    }
}
