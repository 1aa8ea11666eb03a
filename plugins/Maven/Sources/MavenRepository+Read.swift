import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore

extension MavenRepository {
    func read(
        _ path: MavenPath, _ asset: AssetPath, _ head: RequestHead, _ content: any RepositoryContent
    ) async throws -> ArtifactResponse {
        if path.kind == .file, let folder = try await self.redirect(to: asset, head, content) { return folder }
        let found = path.isDerived ? try await Self.derived(path, content) : try await content.content(Self.request(path, asset))
        if let found { return ArtifactResponse(.ok, headers: Self.checksums(found), body: .content(found)).repeatable }
        throw Self.absent(asset)
    }

    /// A folder's address without its slash, which an upstream would answer with a page.
    private func redirect(to asset: AssetPath, _ head: RequestHead, _ content: any RepositoryContent) async throws -> ArtifactResponse? {
        guard try await !content.list(ContentQuery(.folder(asset), limit: 1)).rows.isEmpty else { return nil }
        return ArtifactResponse(.movedPermanently, headers: [.location: "\(head.root)/\(PercentEncoding.path(asset.text))/"])
    }

    /// What is made of what was deployed.
    private static func derived(_ path: MavenPath, _ content: any RepositoryContent) async throws -> Content? {
        switch path.kind {
        case .metadata(let folder): try await content.document(MavenMetadata.self, folder.joined(separator: "/"))
        case .archetypes: try await content.document(MavenArchetypes.self, MavenArchetypes.Key())
        case .artifact, .file, .folder: nil
        }
    }

    /// Newer resolvers take the checksums from here, and do not ask for them.
    private static func checksums(_ content: Content) -> HTTPFields {
        var headers: HTTPFields = [:]
        let names: [(ContentDigest.Algorithm, HTTPField.Name)] = [
            (.sha1, .checksumSHA1), (.md5, .checksumMD5), (.sha256, .checksumSHA256), (.sha512, .checksumSHA512),
        ]
        for (algorithm, name) in names {
            if let digest = content.head.digests.first(algorithm) { headers[name] = digest.hex }
        }
        return headers
    }

    /// A proxy asks for what its own settings let it have.
    static func request(_ path: MavenPath, _ asset: AssetPath) -> ContentRequest {
        var want = Self.request(path, asset, MavenSettings(checksumPolicy: .ignore))
        want.under = { settings in Self.request(path, asset, settings as? MavenSettings ?? MavenSettings()) }
        return want
    }

    private static func request(_ path: MavenPath, _ asset: AssetPath, _ settings: MavenSettings) -> ContentRequest {
        var isMutable = true
        if case .artifact(let artifact) = path.kind { isMutable = artifact.isSnapshot && artifact.build == nil }
        let type = FileTypes.type(of: asset.text)
        var want = ContentRequest(asset, isMutable ? .mutable : .immutable, contentType: type)
        want.computing = [.sha1, .md5, .sha512]
        guard Self.isServed(path, settings) else { return want }
        want.upstream = UpstreamResource(.below(PercentEncoding.path(asset.text)), keep: [.checksumSHA1, .checksumMD5], mayBePage: type == "text/html")
        if settings.checksumPolicy != .ignore { want.record = { arrival in try await Self.record(arrival, settings.checksumPolicy) } }
        return want
    }

    static func isServed(_ path: MavenPath, _ settings: MavenSettings) -> Bool {
        guard case .artifact(let artifact) = path.kind else { return true }
        return switch settings.versionPolicy {
        case .mixed: true
        case .release: !artifact.isSnapshot
        case .snapshot: artifact.isSnapshot
        }
    }

    /// The upstream's own word on what it sent, before that is kept: in a header, as most repositories say it, or in the file beside it.
    private static func record(_ arrival: Arrival, _ policy: MavenSettings.ChecksumPolicy) async throws -> Edit {
        let edit = Edit([.putAsset(arrival.asset, .always)])
        guard let stated = try await Self.stated(arrival), !arrival.blob.digests.contains(stated) else { return edit }
        let found = arrival.blob.digests.first(stated.algorithm).map { "\($0)" } ?? "something else"
        let message = "the upstream's checksum of «\(arrival.path)» is \(stated), and its bytes hash to \(found)"
        guard policy == .fail else {
            arrival.warn(message)
            return edit
        }
        throw FormatError(.upstreamFailed, message + ": nothing is kept (checksumPolicy: fail)")
    }

    /// nil: it says nothing, or nothing that can be compared.
    private static func stated(_ arrival: Arrival) async throws -> ContentDigest? {
        for (name, algorithm) in [(HTTPField.Name.checksumSHA1, ContentDigest.Algorithm.sha1), (.checksumMD5, .md5)] {
            if let text = arrival.attributes[name.canonicalName], let digest = Checksum.read(text.utf8, algorithm) { return digest }
        }
        for (suffix, algorithm) in MavenPath.algorithms.prefix(2) {
            let resource = UpstreamResource(.below(PercentEncoding.path(arrival.path.text + suffix)))
            if let reply = try await Self.asked(resource, of: arrival), let digest = Checksum.read(reply.body.readableBytesView, algorithm) { return digest }
        }
        return nil
    }

    /// An upstream that is in trouble over a checksum, or forbids what it does not have, says nothing of the file, which has come.
    private static func asked(_ resource: UpstreamResource, of arrival: Arrival) async throws -> UpstreamReply? {
        do {
            return try await arrival.ask(UpstreamCall(resource, limit: Checksum.longest))
        } catch let error as FormatError where error.code != .cancelled {
            arrival.warn("the upstream did not say whether this is right: \(error.message)")
            return nil
        }
    }

    // MARK: Checksums

    /// Of what is kept it is known. What is not kept yet has the upstream's own, as it came.
    func checksum(
        _ algorithm: ContentDigest.Algorithm, of path: MavenPath, _ asset: AssetPath, _ content: any RepositoryContent
    ) async throws -> ArtifactResponse {
        var found: Content?
        if path.isDerived {
            found = try await Self.derived(path, content)
        } else {
            var kept = Self.request(path, asset)
            (kept.upstream, kept.delivery) = (nil, .head)
            found = try await content.content(kept)
        }
        if let digest = found?.head.digests.first(algorithm) {
            return ArtifactResponse(.ok, headers: [.contentType: "text/plain", .eTag: "\"\(digest)\""], body: .bytes(ByteBuffer(string: digest.hex))).repeatable
        }
        let file = AssetPath(checked: asset.text + "." + algorithm.rawValue)
        guard path.kind != .folder, found == nil else { throw Self.absent(file) }
        var want = Self.fileRequest(file)
        // Of several members, of the one that would give the file.
        if !path.isDerived, try await content.gather(nil, { $0.context.repository }).parts.count > 1 {
            var whole = Self.request(path, asset)
            whole.delivery = .head
            want.from = try await content.content(whole)?.member
        }
        guard let theirs = try await content.content(want) else { throw Self.absent(file) }
        return ArtifactResponse(.ok, body: .content(theirs))
    }

    /// Of a checksum by itself.
    static func fileRequest(_ file: AssetPath) -> ContentRequest {
        ContentRequest(
            file, .mutable, upstream: UpstreamResource(.below(PercentEncoding.path(file.text)), mayBePage: false), largest: Int64(Checksum.longest),
            contentType: "text/plain")
    }

    static func absent(_ asset: AssetPath) -> FormatError { FormatError(.notFound, "there is no «\(asset)» here") }
}
