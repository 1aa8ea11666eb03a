import ArtifactModel
import FormatAPI
import HTTPTypes

extension MavenRepository {
    /// Of a version's folder, as many are looked at for others beside the one that goes.
    private static let page = 1000

    /// A file; or, with a slash at its end, a version with all its files. The last file of a version takes that with it.
    func delete(_ path: MavenPath, _ asset: AssetPath, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let target = try content.writable()
        if path.checksum != nil || path.isDerived { return try await self.deleteDerived(path, asset, target, content) }
        for _ in 0..<5 {
            do {
                try await content.commit(try await self.removal(of: path, asset, target))
                return ArtifactResponse(.noContent)
            } catch let refusal as Edit.Refused {
                switch refusal {
                // The file beside it has gone meanwhile: it may be the last one now.
                case .requirement: continue
                case .missing:
                    // A proxy keeps files by themselves, and no versions.
                    guard case .artifact = path.kind, try await target.content(ContentRequest(asset, .mutable, delivery: .head)) != nil else {
                        throw Self.absent(asset)
                    }
                    try await content.commit(Edit([.removeAsset(asset)]))
                    return ArtifactResponse(.noContent)
                case .link, .policy: throw refusal
                }
            }
        }
        throw FormatError(.unavailable, "the files beside «\(asset)» change while it is deleted; try again", retryAfter: .seconds(1))
    }

    /// It follows from its file, or from what was deployed, and goes with that; only a checksum that waits for its file is something by itself.
    private func deleteDerived(
        _ path: MavenPath, _ asset: AssetPath, _ target: any RepositoryContent, _ content: any RepositoryContent
    ) async throws -> ArtifactResponse {
        guard let algorithm = path.checksum, !path.isDerived else { return ArtifactResponse(.noContent) }
        let file = AssetPath(checked: asset.text + "." + algorithm.rawValue)
        if try await target.content(ContentRequest(file, .mutable, delivery: .head)) != nil {
            try await content.commit(Edit([.removeAsset(file)]))
        } else if try await target.content(ContentRequest(asset, .mutable, delivery: .head)) == nil {
            throw Self.absent(file)
        }
        return ArtifactResponse(.noContent)
    }

    private func removal(of path: MavenPath, _ asset: AssetPath, _ content: any RepositoryContent) async throws -> Edit {
        switch path.kind {
        case .folder:
            let segments = asset.text.split(separator: "/").map(String.init)
            guard segments.count >= 3, segments.dropLast(2).allSatisfy({ !$0.utf8.contains(UInt8(ascii: ".")) }) else {
                throw FormatError(.methodNotAllowed, "only files and the folders of versions are removed by DELETE")
            }
            let package = PackageName(namespace: segments.dropLast(2).joined(separator: "."), name: segments[segments.count - 2])
            return Edit([.remove(Coordinates(package: package, version: segments[segments.count - 1]))])
        case .artifact(let artifact):
            let folder = try AssetPath(asset.text.split(separator: "/").dropLast().map(String.init))
            guard try await content.content(ContentRequest(asset, .mutable, delivery: .head)) != nil else { throw Self.absent(asset) }
            guard let other = try await self.fileBeside(asset, in: folder, content) else { return Edit([.remove(artifact.coordinates)]) }
            // Of two that go at one time, one is the last.
            var edit = Edit(requiring: [.linked([other])], [.removeAsset(asset)])
            for fragment in artifact.fileFragments { edit.changes.append(.removeFragment(fragment.document, section: fragment.section, name: fragment.name)) }
            edit.changes += try await self.leftBehind(by: artifact, content)
            return edit
        case .metadata, .archetypes, .file: return Edit([.removeAsset(asset)])
        }
    }

    /// What a plugin's jar or an archetype's POM said, and no file says any more.
    func leftBehind(by artifact: MavenArtifact, _ content: any RepositoryContent) async throws -> [Edit.Change] {
        var changes: [Edit.Change] = []
        if artifact.isMain(of: "jar") {
            let key = artifact.folder.dropLast().joined(separator: "/")
            changes += try await Self.removal(of: artifact.pluginName, in: MavenSection.plugins, of: MavenMetadata.self, key, content)
        }
        if artifact.isMain(of: "pom") {
            let name = MavenArchetypes.entry(artifact.groupID, artifact.artifactID, artifact.baseVersion, "").name
            changes += try await Self.removal(of: name, in: MavenArchetypes.section, of: MavenArchetypes.self, .init(), content)
        }
        return changes
    }

    /// Only where it is there: a document that nobody has anything to say in is none.
    private static func removal<Document: DerivedDocument>(
        of name: String, in section: String, of type: Document.Type, _ key: Document.Key, _ content: any RepositoryContent
    ) async throws -> [Edit.Change] {
        let document = Document.identifier(key)
        guard try await content.generation(of: document) > 0,
            try await content.outlines(type, key, .asConfigured)?.parts.contains(where: { $0.entry(section, name) != nil }) == true
        else { return [] }
        return [.removeFragment(document, section: section, name: name)]
    }

    /// Another file of the version, if it has one. Signatures and checksums that wait for their files are no version by themselves.
    private func fileBeside(_ asset: AssetPath, in folder: AssetPath, _ content: any RepositoryContent) async throws -> AssetPath? {
        var query = ContentQuery(.folder(folder), limit: Self.page)
        while true {
            let page = try await content.list(query)
            let other = page.rows.first { row in
                row.digest != nil && folder.text + "/" + row.name != asset.text && !row.name.hasSuffix(".asc")
                    && !MavenPath.algorithms.contains { row.name.hasSuffix($0.suffix) }
            }
            if let other { return AssetPath(checked: folder.text + "/" + other.name) }
            guard page.more, let last = page.rows.last else { return nil }
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
