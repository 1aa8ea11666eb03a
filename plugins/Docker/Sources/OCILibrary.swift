public import ArtifactModel
public import FormatAPI
import NIOCore

/// A registry's artifacts, as other formats see them: images whose configuration is of a type of theirs.
struct OCILibrary: ArtifactLibrary {
    private static let page = 1000

    let content: any RepositoryContent
    let changes: UInt64
    let isAllowed: @Sendable (Access) -> Bool

    func mayRead(_ artifact: LibraryArtifact) -> Bool { self.isAllowed(Access(.read, path: artifact.package.name)) }

    func artifacts(ofType type: String) async throws -> [LibraryArtifact] {
        var found: [LibraryArtifact] = []
        var query = ContentQuery(.packages, limit: Self.page)
        while true {
            let packages = try await self.content.list(query)
            for package in packages.rows { found += try await self.artifacts(ofType: type, in: PackageName(name: package.name)) }
            guard packages.more, let last = packages.rows.last else { return found }
            query.after = last.name
        }
    }

    private func artifacts(ofType type: String, in package: PackageName) async throws -> [LibraryArtifact] {
        let rows = try await self.all(.components(package)).filter { JSON.value(ManifestRecord.self, from: $0.attributes)?.artifactType == type }
        guard !rows.isEmpty else { return [] }
        let named = Set(try await self.all(.pointers(package, kind: OCIFormat.tagKind)).map(\.target))
        return rows.compactMap { row in
            guard named.contains(row.name), let digest = row.digest else { return nil }
            return LibraryArtifact(package: package, digest: digest, created: row.updated)
        }
    }

    private func all(_ subject: ContentQuery.Subject) async throws -> [ContentRow] {
        var (query, rows) = (ContentQuery(subject, limit: Self.page), [ContentRow]())
        while true {
            let page = try await self.content.list(query)
            rows += page.rows
            guard page.more, let last = page.rows.last else { return rows }
            query.after = last.name
        }
    }

    private struct Wire: Decodable {
        struct Descriptor: Decodable {
            var mediaType: String?
            var digest: String?
            var size: Int64?

            var file: LibraryDescription.File? {
                guard let mediaType, let digest, let size else { return nil }
                do { return LibraryDescription.File(mediaType: mediaType, digest: try ContentDigest(image: digest), size: size) } catch { return nil }
            }
        }
        var config: Descriptor?
        var layers: [Descriptor]?
    }

    func description(of artifact: LibraryArtifact) async throws -> LibraryDescription? {
        guard let image = Self.image(artifact), let manifest = try await self.content.content(image.request(keptManifest: artifact.digest)) else { return nil }
        let bytes = try await manifest.source.readAll(min(manifest.head.size ?? 0, Int64(Manifest.largest)), on: self.content.context.compute)
        return try await self.content.context.compute.run {
            guard let wire = JSON.value(Wire.self, from: String(buffer: bytes)), let configuration = wire.config?.file else { return nil }
            return LibraryDescription(configuration: configuration, files: (wire.layers ?? []).compactMap(\.file))
        }
    }

    func content(_ digest: ContentDigest, of artifact: LibraryArtifact) async throws -> Content? {
        guard let image = Self.image(artifact) else { return nil }
        return try await self.content.content(image.request(blob: digest))
    }

    private static func image(_ artifact: LibraryArtifact) -> ImageName? {
        do { return try ImageName(artifact.package.name) } catch { return nil }
    }
}

extension OCIFormat {
    public func library(of content: any RepositoryContent, changes: UInt64, _ isAllowed: @escaping @Sendable (Access) -> Bool) -> (any ArtifactLibrary)? {
        OCILibrary(content: content, changes: changes, isAllowed: isAllowed)
    }
}
