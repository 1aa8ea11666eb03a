import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore

/// Charts as OCI artifacts, for `helm pull oci://` and whatever else speaks the distribution API: read alone.
extension HelmRepository {
    /// Versions of a chart that are looked at in one go.
    private static let page = 1000

    func manifest(_ name: ChartName, _ reference: String, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let digest = Self.digest(reference)
        let found = try await self.first(of: name, content) { artifact in
            guard let digest else { return artifact.tag == reference ? artifact.manifests.first : nil }
            return artifact.manifests.first { content.context.digest($0) == digest }
        }
        guard let manifest = found, let digest = content.context.digest(manifest) else {
            throw FormatError(.notFound, "there is no chart «\(name)» with the tag or digest «\(reference.prefix(200))»")
        }
        let headers: HTTPFields = [.contentType: ChartArtifact.manifestType, .dockerContentDigest: "\(digest)", .eTag: "\"\(digest)\""]
        return ArtifactResponse(.ok, headers: headers, body: .bytes(manifest)).repeatable
    }

    func blob(_ name: ChartName, _ digest: ContentDigest, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        enum Blob: Sendable {
            case config(ByteBuffer)
            case file(AssetPath)
        }
        let found = try await self.first(of: name, content) { artifact -> Blob? in
            if artifact.archive.digest == digest { return .file(artifact.id.path) }
            if artifact.configDigest == digest { return .config(artifact.config) }
            return artifact.provenance?.digest == digest ? .file(artifact.id.provenancePath) : nil
        }
        let headers: HTTPFields = [.dockerContentDigest: "\(digest)"]
        switch found {
        case .config(let bytes)?:
            let more: HTTPFields = [.contentType: "application/octet-stream", .eTag: "\"\(digest)\"", .dockerContentDigest: "\(digest)"]
            return ArtifactResponse(.ok, headers: more, body: .bytes(bytes)).repeatable
        case .file(let path)?:
            var want = ContentRequest(path, .immutable, expecting: [digest], contentType: "application/octet-stream")
            want.upstream = nil
            if let file = try await content.content(want) { return ArtifactResponse(.ok, headers: headers, body: .content(file)).repeatable }
        case nil: break
        }
        throw FormatError(.notFound, "the chart «\(name)» has no such blob")
    }

    /// In the order of their bytes, as the specification has it. `n` and `last`: a page.
    func tags(of name: ChartName, _ head: RequestHead, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let limit = head.query("n").flatMap { Int($0) } ?? .max
        guard limit >= 0 else { throw FormatError(.invalidRequest, "n is how many tags to list") }
        var tags: [String] = []
        _ = try await self.first(of: name, content) { artifact -> Bool? in
            tags.append(artifact.tag)
            return nil
        }
        guard !tags.isEmpty else { throw Self.absent(name.text) }
        tags.sort(by: ByteText.precedes)
        if let last = head.query("last") { tags.removeAll { !ByteText.precedes(last, $0) } }
        let page = tags.prefix(limit)
        var json = JSONText()
        json.raw("{")
        json.member("name", (head.root.split(separator: "/").last.map { "\($0)/" } ?? "") + name.text)
        json.list("tags", Array(page))
        json.raw("}\n")
        var response = Self.json(ByteBuffer(bytes: json.bytes))
        if page.count < tags.count, let last = page.last {
            response.headers[.link] = "<\(head.root)/\(name)/tags/list?n=\(limit)&last=\(PercentEncoding.query(last))>; rel=\"next\""
        }
        return response
    }

    /// Over the versions of a chart that are here, in every hosted member.
    private func first<Found: Sendable>(
        of name: ChartName, _ content: any RepositoryContent, _ look: (ChartArtifact) -> Found?
    ) async throws -> Found? {
        for part in try await content.gather(name.text, { $0 }).parts {
            var query = ContentQuery(.components(name.package), limit: Self.page)
            while true {
                let page = try await part.list(query)
                for row in page.rows {
                    guard let artifact = ChartArtifact(name, row, content.context) else { continue }
                    if let found = look(artifact) { return found }
                }
                guard page.more, let last = page.rows.last else { break }
                query.after = last.name
            }
        }
        return nil
    }

    private static func digest(_ reference: String) -> ContentDigest? {
        guard reference.contains(":") else { return nil }
        do { return try ContentDigest(reference) } catch { return nil }
    }

    // MARK: Failures

    static func isArtifact(_ head: RequestHead) -> Bool {
        do { return try HelmAddress(head.path).isArtifact } catch { return false }
    }

    /// In the words of that API.
    static func artifactError(_ error: FormatError) -> JSONText {
        let code =
            switch error.code {
            case .unauthenticated: "UNAUTHORIZED"
            case .forbidden: "DENIED"
            case .notFound: "MANIFEST_UNKNOWN"
            case .methodNotAllowed: "UNSUPPORTED"
            default: "UNKNOWN"
            }
        var json = JSONText()
        json.raw("{\"errors\":[{")
        json.member("code", code)
        json.member("message", error.message)
        json.raw("}]}\n")
        return json
    }
}

extension HTTPField.Name {
    static let dockerContentDigest = Self.known("Docker-Content-Digest")
}
