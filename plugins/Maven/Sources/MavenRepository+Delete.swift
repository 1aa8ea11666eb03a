import ArtifactModel
import FormatAPI
import HTTPTypes

extension MavenRepository {
    /// Of a version's folder, as many are looked at for others beside the one that goes.
    private static let page = 1000

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
            // A proxy keeps files by themselves, and no versions.
            guard case .artifact = path.kind, try await target.content(ContentRequest(asset, .mutable, delivery: .head)) != nil else {
                throw Self.absent(asset)
            }
            try await content.commit(Edit([.removeAsset(asset)]))
            return ArtifactResponse(.noContent)
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
            guard try await content.content(ContentRequest(asset, .mutable, delivery: .head)) != nil else { throw Self.absent(asset) }
            guard try await self.isBesideOthers(asset, in: folder, content) else { return Edit([.remove(artifact.coordinates)]) }
            var edit = Edit([.removeAsset(asset)])
            if let fragment = artifact.fileFragment { edit.changes.append(.removeFragment(fragment.document, section: fragment.section, name: fragment.name)) }
            return edit
        case .metadata, .archetypes, .file: return Edit([.removeAsset(asset)])
        }
    }

    /// Whether the version has another file. Signatures and checksums that wait for their files are no version by themselves.
    private func isBesideOthers(_ asset: AssetPath, in folder: AssetPath, _ content: any RepositoryContent) async throws -> Bool {
        var query = ContentQuery(.folder(folder), limit: Self.page)
        while true {
            let page = try await content.list(query)
            let others = page.rows.contains { row in
                row.digest != nil && folder.text + "/" + row.name != asset.text && !row.name.hasSuffix(".asc")
                    && !MavenPath.algorithms.contains { row.name.hasSuffix($0.suffix) }
            }
            if others { return true }
            guard page.more, let last = page.rows.last else { return false }
            query.after = last.name
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
