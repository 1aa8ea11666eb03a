import ArtifactModel
public import FormatAPI
import HTTPTypes

extension RawFiles {
    /// A path may name a file and a folder both; without a slash it is the file.
    func read(_ path: AssetPath, _ head: RequestHead, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        if let found = try await content.content(Self.request(path)) {
            var headers: HTTPFields = [:]
            if let digest = found.head.digests.first(.sha256) { headers[.checksumSHA256] = digest.hex }
            return ArtifactResponse(.ok, headers: headers, body: .content(found)).repeatable
        }
        guard try await content.list(ContentQuery(.folder(path), limit: 1)).rows.isEmpty else {
            return ArtifactResponse(.movedPermanently, headers: [.location: Self.url(path, head) + "/"])
        }
        throw Self.absent(path)
    }

    /// A proxy's upstream has files at the same paths.
    static func request(_ path: AssetPath) -> ContentRequest {
        ContentRequest(path, .mutable, upstream: UpstreamResource(.below(PercentEncoding.path(path.text))))
    }

    public func prefetch(
        _ reference: String, _ choice: [String], in content: any RepositoryContent, _ settings: NoSettings
    ) async throws -> [Prefetch] {
        let path: AssetPath
        do { path = try AssetPath(reference.split(separator: "/").map(String.init)) } catch { throw FormatError(.invalidRequest, error.description) }
        return [Prefetch(Self.request(path))]
    }

    /// 201 whether the file is new or not: what is there now is what was sent.
    func write(_ path: AssetPath, _ upload: FileUpload, _ request: ArtifactRequest, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let requirements = try await self.requirements(of: upload.condition, path, content)
        do {
            let staged = try await content.stage(request.body, StageDemand(target: path, expecting: upload.expected))
            try await content.commit(Edit(requiring: requirements, [.putAsset(NewAsset(path, staged, contentType: upload.contentType), .byPolicy)]))
            var response = ArtifactResponse(.created, headers: [.location: Self.url(path, request.head)])
            response.written = staged.digests.first(.sha256)
            if let digest = response.written { response.headers[.checksumSHA256] = digest.hex }
            return response
        } catch let refusal as Edit.Refused {
            guard case .policy = refusal else { throw Self.changed(path, refusal) }
            throw FormatError(
                .conflict, "«\(path)» exists with other content, and writePolicy allowOnce keeps it; write to another path, or delete it first", cause: refusal)
        }
    }

    func remove(_ path: AssetPath, _ condition: FileUpload.Condition, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let requirements = try await self.requirements(of: condition, path, content)
        do {
            try await content.commit(Edit(requiring: requirements, [.removeAsset(path)]))
        } catch let refusal as Edit.Refused {
            guard case .missing = refusal else { throw Self.changed(path, refusal) }
            throw Self.absent(path)
        }
        return ArtifactResponse(.noContent)
    }

    /// What `If-Match` and `If-None-Match` ask for, to be looked at once more when the file is committed. RFC 9110, section 13.1.
    private func requirements(of condition: FileUpload.Condition, _ path: AssetPath, _ content: any RepositoryContent) async throws -> [Edit.Requirement] {
        switch condition {
        case .none: return []
        case .absent: return [.asset(path, among: [nil])]
        case .oneOf(let tags):
            guard let kept = try await content.content(ContentRequest(path, .mutable)), let digest = kept.head.digests.first(.sha256),
                tags.contains("*") || tags.contains(kept.head.entityTag)
            else { throw Self.changed(path, nil) }
            return [.asset(path, among: [digest])]
        }
    }

    private static func changed(_ path: AssetPath, _ cause: (any Error)?) -> FormatError {
        FormatError(.preconditionFailed, "«\(path)» is not as the request's If-Match or If-None-Match wants it; nothing was changed", cause: cause)
    }

    private static func absent(_ path: AssetPath) -> FormatError { FormatError(.notFound, "there is no file «\(path)»") }

    /// Absolute path in the client's view.
    static func url(_ path: AssetPath, _ head: RequestHead) -> String { head.root + "/" + PercentEncoding.path(path.text) }
}
