import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore

extension MavenRepository {
    /// In bytes: of a POM that is read.
    private static let largestPOM: Int64 = 4 << 20

    func deploy(
        _ path: MavenPath, _ asset: AssetPath, _ request: ArtifactRequest, _ content: any RepositoryContent, _ settings: MavenSettings
    ) async throws -> ArtifactResponse {
        try Self.accept(path, asset, settings)
        switch path.kind {
        case .metadata(let folder):
            try await self.deploy(metadata: folder, request.body, content)
            return ArtifactResponse(.created)
        case .archetypes:
            _ = try content.writable()
            try await Self.discard(request.body)
            return ArtifactResponse(.created)
        case .artifact(let artifact):
            return try await self.deploy(artifact, asset, request, content)
        case .file, .folder: return try await self.deploy(file: asset, request, content)
        }
    }

    /// Whether the repository takes such a file, and what is said of one.
    private static func accept(_ path: MavenPath, _ asset: AssetPath, _ settings: MavenSettings) throws(FormatError) {
        switch path.kind {
        case .metadata, .archetypes: return
        case .artifact(let artifact): try Self.accept(artifact, settings)
        case .file, .folder:
            guard settings.layoutPolicy == .permissive else {
                throw FormatError(
                    .invalidRequest,
                    "«\(asset)» is not in the layout of Maven: group/artifact/version/artifact-version[-classifier].extension (layoutPolicy: permissive takes all)"
                )
            }
        }
    }

    private static func accept(_ artifact: MavenArtifact, _ settings: MavenSettings) throws(FormatError) {
        guard !artifact.version.isEmpty, !artifact.groupID.isEmpty else { throw FormatError(.invalidRequest, "an artifact has a group and a version") }
        switch settings.versionPolicy {
        case .release where artifact.isSnapshot:
            throw FormatError(.invalidRequest, "this repository takes releases, and \(artifact.text) is a snapshot (versionPolicy: release)")
        case .snapshot where !artifact.isSnapshot:
            throw FormatError(.invalidRequest, "this repository takes snapshots, and \(artifact.text) is a release (versionPolicy: snapshot)")
        default: return
        }
    }

    /// Read to its end, and thrown away: Maven does not look at an answer that comes before.
    static func discard(_ body: ByteStream) async throws {
        var left = MavenMetadata.largest
        while let chunk = try await body.next() {
            left -= Int64(chunk.readableBytes)
            guard left >= 0 else { throw FormatError(.tooLarge, "metadata is not longer than \(MavenMetadata.largest >> 20) MiB") }
        }
    }

    // MARK: Artifacts

    private func deploy(
        _ artifact: MavenArtifact, _ asset: AssetPath, _ request: ArtifactRequest, _ content: any RepositoryContent
    ) async throws -> ArtifactResponse {
        let target = try content.writable()
        let pending = try await PendingChecksums(of: asset, in: target)
        // What goes on to change may be written again under its own name.
        let redeploy: Edit.Redeploy = artifact.isSnapshot ? .always : .byPolicy
        do {
            let staged = try await content.stage(
                request.body,
                StageDemand(
                    target: redeploy == .byPolicy ? asset : nil, expecting: pending.digests, computing: [.sha1, .md5, .sha512]))
            let component = try await self.component(of: artifact, asset, staged, request.head, content.context)
            var changes = [Edit.Change.extend(component, redeploy)]
            let said = Set(component.fragments.map(\.section))
            if said.isDisjoint(with: [MavenSection.plugins, MavenArchetypes.section]) { changes = try await self.leftBehind(by: artifact, target) + changes }
            try await self.commit(changes, asset, staged, pending, content)
            var response = ArtifactResponse(.created)
            response.written = staged.digests.first(.sha256)
            return response
        } catch let refusal as Edit.Refused {
            guard case .policy = refusal else { throw refusal }
            throw Self.taken(asset, refusal)
        }
    }

    private static func taken(_ asset: AssetPath, _ cause: any Error) -> FormatError {
        FormatError(
            .conflict, "«\(asset)» was deployed before with other content, and writePolicy allowOnce keeps it: raise the version, or delete it first",
            cause: cause)
    }

    /// A checksum that comes between the look and the commit is looked at, too.
    private func commit(
        _ changes: [Edit.Change], _ asset: AssetPath, _ staged: StagedBlob, _ pending: PendingChecksums, _ content: any RepositoryContent
    ) async throws {
        var pending = pending
        for _ in 0..<5 {
            do {
                return try await content.commit(Edit(requiring: pending.requirements, changes + pending.paths.map { .removeAsset($0) }))
            } catch let refusal as Edit.Refused {
                guard case .requirement = refusal else { throw refusal }
                pending = try await PendingChecksums(of: asset, in: try content.writable())
                guard let wrong = pending.digests.first(where: { !staged.digests.contains($0) }) else { continue }
                throw FormatError(.digestMismatch, "«\(asset)» is not what its checksum says, which came meanwhile: \(wrong); nothing was kept")
            }
        }
        throw FormatError(.unavailable, "the checksums of «\(asset)» change while it is deployed; try again", retryAfter: .seconds(1))
    }

    private func component(
        of artifact: MavenArtifact, _ asset: AssetPath, _ staged: StagedBlob, _ head: RequestHead, _ context: RequestContext
    ) async throws -> Component {
        var component = Component(
            artifact.coordinates, assets: [NewAsset(asset, staged, contentType: FileTypes.type(of: asset.text))],
            fragments: artifact.fragments(at: context.now()))
        if artifact.fileExtension == "pom", artifact.classifier.isEmpty, staged.size <= Self.largestPOM {
            let bytes = try await staged.source.readAll(Self.largestPOM, on: context.compute)
            let model = try await context.compute.run { ProjectModel.read(bytes.readableBytesView) }
            component.attributes = model.map { JSON.text($0) } ?? "{}"
            if let model, model.packaging == "maven-archetype" { component.fragments.append(artifact.fragment(ofArchetype: model.description ?? "")) }
        }
        if artifact.fileExtension == "jar", artifact.classifier.isEmpty,
            let plugin = try await PluginDescriptor.read(staged.source, size: staged.size, context)
        {
            component.fragments.append(artifact.fragment(of: plugin))
        }
        return component
    }

    // MARK: Other files

    private func deploy(file asset: AssetPath, _ request: ArtifactRequest, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let target = try content.writable()
        let pending = try await PendingChecksums(of: asset, in: target)
        do {
            let staged = try await content.stage(request.body, StageDemand(target: asset, expecting: pending.digests, computing: [.sha1, .md5, .sha512]))
            let file = NewAsset(asset, staged, contentType: FileTypes.type(of: asset.text))
            try await self.commit([.putAsset(file, .byPolicy)], asset, staged, pending, content)
            var response = ArtifactResponse(.created)
            response.written = staged.digests.first(.sha256)
            return response
        } catch let refusal as Edit.Refused {
            guard case .policy = refusal else { throw refusal }
            throw Self.taken(asset, refusal)
        }
    }

    // MARK: Checksums

    /// Compared with the file, or kept until that comes.
    func putChecksum(
        _ algorithm: ContentDigest.Algorithm, of path: MavenPath, _ asset: AssetPath, _ request: ArtifactRequest, _ content: any RepositoryContent,
        _ settings: MavenSettings
    ) async throws -> ArtifactResponse {
        try Self.accept(path, asset, settings)
        guard let bytes = try await request.body.collect(upTo: Checksum.longest) else {
            throw FormatError(.tooLarge, "a checksum's file is not longer than \(Checksum.longest) bytes")
        }
        switch path.kind {
        case .metadata, .archetypes: return ArtifactResponse(.created)
        case .artifact, .file, .folder: break
        }
        guard let stated = Checksum.read(bytes.readableBytesView, algorithm) else {
            throw FormatError(.invalidRequest, "this is no \(algorithm.rawValue) in hex: \(algorithm.length * 2) digits")
        }
        let target = try content.writable()
        for _ in 0..<5 {
            if let kept = try await target.content(ContentRequest(asset, .mutable, delivery: .head)) {
                guard kept.head.digests.first(algorithm).map({ $0 == stated }) ?? true else {
                    throw FormatError(.digestMismatch, "the checksum does not fit «\(asset)», which was deployed: it is not \(stated.hex)")
                }
                return ArtifactResponse(.created)
            }
            let file = AssetPath(checked: asset.text + "." + algorithm.rawValue)
            let staged = try await content.stage(ByteStream.once(bytes), StageDemand())
            do {
                try await content.commit(
                    Edit(requiring: [.asset(asset, among: [nil])], [.putAsset(NewAsset(file, staged, contentType: "text/plain"), .always)]))
                return ArtifactResponse(.created)
            } catch let refusal as Edit.Refused {
                // The file came meanwhile.
                guard case .requirement = refusal else { throw refusal }
            }
        }
        throw FormatError(.unavailable, "«\(asset)» changes while its checksum comes; try again", retryAfter: .seconds(1))
    }
}

/// Checksums that came before their file.
struct PendingChecksums: Sendable {
    private(set) var digests: [ContentDigest] = []
    private(set) var paths: [AssetPath] = []
    /// That there are these and no others.
    private(set) var requirements: [Edit.Requirement] = []

    init(of asset: AssetPath, in content: any RepositoryContent) async throws {
        for (suffix, algorithm) in MavenPath.algorithms {
            let path = AssetPath(checked: asset.text + suffix)
            let found = try await content.content(ContentRequest(path, .mutable, delivery: .whole))
            self.requirements.append(.asset(path, among: [found?.head.digests.first(.sha256)]))
            guard let found else { continue }
            let bytes = try await found.source.readAll(Int64(Checksum.longest), on: content.context.compute)
            if let digest = Checksum.read(bytes.readableBytesView, algorithm) { self.digests.append(digest) }
            self.paths.append(path)
        }
    }
}
