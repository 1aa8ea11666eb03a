import ArtifactModel
public import FormatAPI
import HTTPTypes
import NIOCore

extension NpmRegistry {
    public func respond(
        to operation: NpmOperation, _ request: ArtifactRequest, in content: any RepositoryContent, _ settings: NoSettings
    ) async throws -> ArtifactResponse {
        switch operation.kind {
        case .root: .json(.object([.init("db_name", .string(content.context.repository.text))]))
        case .ping: .json(.object([]))
        case .packument(let name, let form): try await self.packument(name, form, content)
        case .packumentToWrite(let name): try await self.packumentToWrite(name, content)
        case .manifest(let name, let wanted): try await self.manifest(name, wanted, content)
        case .tarball(let name, let version): try await self.tarball(name, version, content)
        case .moved(let name, let version):
            ArtifactResponse(.found, headers: [.location: "\(request.head.root)/\(name.tarballPath(version))"])
        case .publish(let name): try await self.publish(name, request, content)
        case .change(let name, let revision): try await self.change(name, revision, request, content)
        case .removePackage(let name, let revision): try await self.removePackage(name, revision, content)
        case .removeTarball(let name, let version, let revision): try await self.remove(name, version, revision, content)
        case .tags(let name): try await self.tags(name, content)
        case .setTag(let name, let tag): try await self.setTag(name, tag, request, content)
        case .removeTag(let name, let tag): try await self.removeTag(name, tag, content)
        case .search(let query): try await self.search(query, content)
        case .advisories: try await self.advisories(request, content)
        case .quickAudit: try await self.quickAudit(request, content)
        case .keys: try await self.keys(content)
        case .attestations(let name, let version): try await self.attestations(name, version, content)
        case .access(let name, let question): try await self.access(name, question, content)
        case .packages(let owner): try await self.packages(of: owner, content)
        case .whoami, .user, .signIn, .signOut, .tokens, .makeToken, .revokeToken, .profile:
            try await Accounts(content.context).answer(operation.kind, request)
        }
    }
}

extension ArtifactResponse {
    /// - Parameter mayBeKept: whether a client may have it for a while without asking.
    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> ArtifactResponse {
        ArtifactResponse(status, headers: [.contentType: "application/json"], body: .bytes(ByteBuffer(bytes: value.bytes)))
    }
}

extension JSONValue {
    static func made(_ pairs: KeyValuePairs<String, JSONValue>) -> JSONValue { .object(pairs.map { Member($0.key, $0.value) }) }
}

extension JSONValue.Member {
    static func text(_ key: String, _ value: String) -> Self { Self(key, .string(value)) }
}

extension ArtifactRequest {
    /// What is small by nature.
    /// - Throws: `.tooLarge`, `.invalidRequest`.
    func json(upTo limit: Int, _ context: RequestContext) async throws -> JSONValue {
        guard var bytes = try await self.body.collect(upTo: limit) else { throw FormatError(.tooLarge, "the request is longer than \(limit >> 10) KiB") }
        if let encoding = self.head.headers[.contentEncoding]?.lowercased(), encoding != "identity" {
            guard encoding == "gzip" || encoding == "x-gzip", let plain = try await context.decompress(bytes, limit) else {
                throw FormatError(.unsupported, "Content-Encoding \(encoding.prefix(40)) is not read here, or is longer than \(limit >> 10) KiB without it")
            }
            bytes = plain
        }
        let body = bytes
        do {
            return try await context.compute.run { try JSONValue(body.readableBytesView) }
        } catch let flaw as JSONFlaw {
            throw FormatError(flaw)
        }
    }
}
