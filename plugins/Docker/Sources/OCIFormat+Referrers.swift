import ArtifactModel
import FormatAPI
import HTTPTypes

extension OCIFormat {
    static let subjectKind = "subject"
    private static let referrersPage = 500
    /// Each costs a query; a fallback list is as long as a person's patience with cosign.
    private static let mostListedByClients = 500

    private struct Index: Encodable {
        var schemaVersion = 2
        var mediaType = Manifest.Kind.index.rawValue
        var manifests: [Referrer]
    }

    /// What refers to a manifest, whether that is here or not: never 404. Distribution-spec 1.1, «Listing Referrers».
    ///
    /// The last page has also those that clients listed themselves, under a tag, before there was this API.
    func referrers(
        to subject: ContentDigest, of image: ImageName, _ type: String?, after: String?, _ exchange: Exchange
    ) async throws -> ArtifactResponse {
        let edges = ContentQuery.Subject.edges(to: subject, in: image.package, kind: Self.subjectKind, artifactType: type)
        let page = try await exchange.content.list(ContentQuery(edges, after: after, limit: Self.referrersPage))
        let compute = exchange.content.context.compute
        var found = try await compute.run { page.rows.map(Self.referrer) }
        if !page.more {
            for entry in try await self.listedByClients(subject, of: image, exchange) where type == nil || entry.artifactType == type {
                if try await !self.isListed(entry, in: found, edges, exchange) { found.append(entry) }
            }
        }
        let all = found
        let text = try await compute.run { JSON.text(Index(manifests: all)) }
        var response = ArtifactResponse.document(text, type: Manifest.Kind.index.rawValue)
        if type != nil { response.headers[.filtersApplied] = "artifactType" }
        if page.more, let last = page.rows.last {
            response.headers[.link] = exchange.links.next(
                "\(image)/referrers/\(subject)", [("last", last.name)] + (type.map { [("artifactType", $0)] } ?? []))
        }
        return response
    }

    private static func referrer(_ row: ContentRow) -> Referrer {
        let record = JSON.value(ManifestRecord.self, from: row.attributes)
        return Referrer(
            mediaType: row.contentType, digest: row.name, size: row.size, artifactType: row.artifactType.isEmpty ? nil : row.artifactType,
            annotations: record?.annotations)
    }

    private func isListed(_ entry: Referrer, in page: [Referrer], _ edges: ContentQuery.Subject, _ exchange: Exchange) async throws -> Bool {
        if page.contains(where: { $0.digest == entry.digest }) { return true }
        return try await Self.row(entry.digest, in: edges, exchange) != nil
    }

    private func listedByClients(_ subject: ContentDigest, of image: ImageName, _ exchange: Exchange) async throws -> [Referrer] {
        guard let tag = try? Tag(referrersOf: subject),  // always a tag: a short word, a hyphen and hex digits
            let pointer = try await exchange.content.resolve(image.pointer(tag)),
            let row = try await Self.row(pointer.target, in: .components(image.package), exchange)
        else { return [] }
        return try await exchange.content.context.compute.run {
            Array((JSON.value(ManifestRecord.self, from: row.attributes)?.referrers ?? []).prefix(Self.mostListedByClients))
        }
    }

    /// The row of this name: the first after the text that is one character shorter.
    private static func row(_ name: String, in subject: ContentQuery.Subject, _ exchange: Exchange) async throws -> ContentRow? {
        let row = try await exchange.content.list(ContentQuery(subject, after: String(name.dropLast()), limit: 1)).rows.first
        return row?.name == name ? row : nil
    }
}
