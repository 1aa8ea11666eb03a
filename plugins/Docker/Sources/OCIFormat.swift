public import ArtifactModel
public import FormatAPI
import HTTPTypes

/// Container images and other OCI artifacts: OCI distribution-spec 1.1, and what docker's clients ask beyond it.
public struct OCIFormat: RepositoryFormat {
    public typealias Operation = OCIOperation
    public typealias Settings = OCISettings
    public typealias SiteSettings = OCISiteSettings

    public static let id = "docker"
    public static let doors = ["v2"]
    public static let hasLibraries = true
    static let tagKind = "tag"

    public init() {}

    public static func repositories(namedBy settings: OCISiteSettings) -> [RepositoryName] {
        ([settings.defaultRepository].compactMap { $0 } + settings.namespaces.values.sorted())
            .reduce(into: []) { names, name in if !names.contains(name) { names.append(name) } }
    }

    public static func objection(to name: RepositoryName) -> String? {
        guard ImageName.isComponent(name.text) else {
            return "it is the first part of image names, and so is made of a-z and 0-9, with single dots, underscores or hyphens between them"
        }
        guard !["library", "docker", "v2"].contains(name.text) else {
            return "image names begin with «\(name.text)» elsewhere too, and could not be told apart"
        }
        return nil
    }

    public func respond(
        to operation: OCIOperation, _ request: ArtifactRequest, in content: any RepositoryContent, _ settings: OCISettings
    ) async throws -> ArtifactResponse {
        var links = Links(request.head)
        let kind = operation.kind.reading { image in
            let full = image.full(in: content)
            // Clients go on with the name that they began with.
            links.hidden = String(full.text.dropLast(image.text.utf8.count))
            return full
        }
        let exchange = Exchange(links: links, request: request, content: content)
        var response = try await self.answer(kind, exchange, settings)
        response.headers[.registryVersion] = Self.version
        return response
    }

    private func answer(_ kind: OCIOperation.Kind, _ exchange: Exchange, _ settings: OCISettings) async throws -> ArtifactResponse {
        switch kind {
        case .catalog(let paging): try await self.catalog(paging, exchange)
        case .tags(let image, let paging): try await self.tags(of: image, paging, exchange)
        case .readManifest(let image, let reference): try await self.manifest(reference, of: image, exchange)
        case .writeManifest(let image, let reference, let tags): try await self.write(reference, tags, of: image, exchange, settings)
        case .removeManifest(let image, let reference): try await self.remove(reference, of: image, exchange)
        case .readBlob(let image, let digest): try await self.blob(digest, of: image, exchange, settings)
        case .removeBlob(let image, let digest): try await self.remove(blob: digest, of: image, exchange)
        case .beginUpload(let image): try await self.beginUpload(to: image, exchange)
        case .uploadBlob(let image, let digest): try await self.upload(digest, to: image, exchange)
        case .mountBlob(let image, let digest, let source): try await self.mount(digest, to: image, from: source, exchange)
        case .uploadStatus(let image, let session): try await self.status(of: session, to: image, exchange)
        case .appendChunk(let image, let session, let range): try await self.append(to: session, of: image, at: range, exchange)
        case .closeUpload(let image, let session, let digest, let range): try await self.close(session, as: digest, of: image, at: range, exchange)
        case .cancelUpload(let image, let session): try await self.cancel(session, to: image, exchange)
        case .referrers(let image, let digest, let type, let after): try await self.referrers(to: digest, of: image, type, after: after, exchange)
        }
    }

    static let version = "registry/2.0"
    static var ping: ArtifactResponse { .document("{}") }
}

/// What answering one request needs.
struct Exchange: Sendable {
    var links: Links
    var request: ArtifactRequest
    var content: any RepositoryContent
}

extension HTTPField.Name {
    static let registryVersion = Self.known("Docker-Distribution-Api-Version")
    static let contentDigest = Self.known("Docker-Content-Digest")
    static let uploadID = Self.known("Docker-Upload-UUID")
    static let subject = Self.known("OCI-Subject")
    static let filtersApplied = Self.known("OCI-Filters-Applied")
    static let ociTag = Self.known("OCI-Tag")
}
