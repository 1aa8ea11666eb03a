import ArtifactModel
import FormatAPI
import HTTPTypes

extension MavenRepository {
    /// Files that are together in a version's folder, at most: with classifiers and signatures of many builds of a snapshot.
    private static let mostFiles = 10_000

    /// A file; or, with a slash at its end, a version with all its files. The last file of a version takes that with it.
    func delete(_ path: MavenPath, _ asset: AssetPath, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        // It follows from its file, or from what was deployed.
        if path.checksum != nil || path.isDerived { return ArtifactResponse(.noContent) }
        let target = try content.writable()
        do {
            try await content.commit(try await self.removal(of: path, asset, target))
            return ArtifactResponse(.noContent)
        } catch let refusal as Edit.Refused {
            guard case .missing = refusal else { throw refusal }
            throw Self.absent(asset)
        }
    }

    private func removal(of path: MavenPath, _ asset: AssetPath, _ content: any RepositoryContent) async throws -> Edit {
        switch path.kind {
        case .folder:
            let segments = asset.text.split(separator: "/").map(String.init)
            guard segments.count >= 3 else { throw FormatError(.methodNotAllowed, "only files and the folders of versions are removed by DELETE") }
            let package = PackageName(namespace: segments.dropLast(2).joined(separator: "."), name: segments[segments.count - 2])
            return Edit([.remove(Coordinates(package: package, version: segments[segments.count - 1]))])
        case .artifact(let artifact):
            let folder = try AssetPath(asset.text.split(separator: "/").dropLast().map(String.init))
            let files = try await content.list(ContentQuery(.folder(folder), limit: Self.mostFiles)).rows.filter { $0.digest != nil }
            let file = asset.text.split(separator: "/").last.map(String.init) ?? ""
            guard files.contains(where: { $0.name == file }) else { throw Self.absent(asset) }
            // Signatures and pending checksums by themselves are no version.
            let left = files.filter { row in row.name != file && !row.name.hasSuffix(".asc") && !MavenPath.algorithms.contains { row.name.hasSuffix($0.suffix) }
            }
            guard !left.isEmpty else { return Edit([.remove(artifact.coordinates)]) }
            var edit = Edit([.removeAsset(asset)])
            if let fragment = artifact.fileFragment { edit.changes.append(.removeFragment(fragment.document, section: fragment.section, name: fragment.name)) }
            return edit
        case .metadata, .archetypes, .file: return Edit([.removeAsset(asset)])
        }
    }
}

extension MavenPath {
    var isDerived: Bool {
        switch self.kind {
        case .metadata, .archetypes: true
        case .artifact, .file, .folder: false
        }
    }
}
