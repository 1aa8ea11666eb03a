import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore

extension OCIFormat {
    /// `Accept` gates nothing: a manifest is served as it was pushed, to `*/*` and to clients that name no type.
    func manifest(_ reference: Reference, of image: ImageName, _ exchange: Exchange) async throws -> ArtifactResponse {
        switch reference {
        case .digest(let digest):
            return try await self.manifest(digest, .immutable, of: image, exchange, asked: "\(digest)")
        case .tag(let tag):
            guard let pointer = try await exchange.content.resolve(image.request(tag: tag, on: exchange.content.context.compute)) else {
                throw Self.unknownManifest(tag.text, image)
            }
            do {
                return try await self.manifest(
                    try ContentDigest(image: pointer.target), .mutable, of: image, exchange, asked: tag.text, resolved: pointer)
            } catch let error as InvalidName {
                throw FormatError(.internalFailure, "the tag names no manifest", cause: error)
            }
        }
    }

    private func manifest(
        _ digest: ContentDigest, _ change: Mutability, of image: ImageName, _ exchange: Exchange, asked: String, resolved: Pointer? = nil
    ) async throws -> ArtifactResponse {
        var request = image.request(manifest: digest, on: exchange.content.context.compute)
        request.from = resolved?.member
        guard var content = try await exchange.content.content(request) else { throw Self.unknownManifest(asked, image) }
        // The tag is what may be old; the manifest itself cannot be.
        if let cache = resolved?.cache, content.cache?.outcome != .miss { content.cache = cache }
        for member in resolved?.skippedMembers ?? [] where !content.skippedMembers.contains(member) { content.skippedMembers.append(member) }
        return Self.answer(content, digest, change)
    }

    /// A tag goes alone; a manifest takes its tags with it.
    func remove(_ reference: Reference, of image: ImageName, _ exchange: Exchange) async throws -> ArtifactResponse {
        let change: Edit.Change
        let asked: String
        switch reference {
        case .tag(let tag): (change, asked) = (.unpoint(image.pointer(tag)), tag.text)
        case .digest(let digest): (change, asked) = (.remove(image.coordinates(digest)), digest.description)
        }
        do {
            try await exchange.content.commit(Edit([change]))
        } catch let refusal as Edit.Refused {
            guard case .missing = refusal else { throw refusal }
            throw Self.unknownManifest(asked, image)
        }
        return ArtifactResponse(.accepted)
    }

    private static func unknownManifest(_ asked: String, _ image: ImageName) -> FormatError {
        FormatError(.notFound, "\(image) has no manifest «\(asked)»", detail: "MANIFEST_UNKNOWN")
    }
}
