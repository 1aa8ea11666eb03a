import ArtifactModel
import FormatAPI
import NIOCore

extension MavenRepository {
    /// Of a plugin, which are looked at for one that has no prefix yet.
    private static let mostVersions = 200
    /// In bytes: of a group's metadata that is looked into.
    private static let largestGroup = 1 << 20

    /// Metadata that a client sends. It is made of what was deployed: what several clients believe at one time would undo each other's. Only the prefixes of
    /// plugins whose jars say none are taken from it.
    func deploy(metadata folder: [String], _ body: ByteStream, _ content: any RepositoryContent) async throws {
        // Where nothing can be deployed, this cannot be either.
        let target = try content.writable()
        guard let bytes = try await body.collect(upTo: Self.largestGroup) else { return try await Self.discard(body) }
        let plugins = try await content.context.compute.run { Self.plugins(bytes) }
        for plugin in plugins.prefix(100) { try await self.note(plugin, in: folder, target) }
    }

    private static func plugins(_ bytes: ByteBuffer) -> [Outline.Entry] {
        var (scanner, outline) = (MavenMetadataScanner(), Outline())
        do {
            try scanner.feed(bytes, at: 0, into: &outline)
            return outline.entries.filter { $0.section == MavenSection.plugins }
        } catch {
            // Nothing of it is kept, whatever it is.
            return []
        }
    }

    /// It goes with the versions that are here.
    private func note(_ plugin: Outline.Entry, in folder: [String], _ content: any RepositoryContent) async throws {
        let words = String(decoding: plugin.sortKey, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard words.count == 3, !words[0].isEmpty, words[0].utf8.count <= 200 else { return }
        let package = PackageName(namespace: folder.joined(separator: "."), name: words[1])
        let versions = try await content.list(ContentQuery(.components(package), limit: Self.mostVersions)).rows.map(\.name)
        let key = folder.joined(separator: "/")
        let known = try await content.outlines(MavenMetadata.self, key, .asConfigured)?.parts.flatMap(\.entries) ?? []
        // What the jar says is so.
        let said = Set(known.filter { $0.section == MavenSection.plugins }.map(\.name))
        let changes = versions.filter { !said.contains("\(words[1])/\($0)") }.map { version in
            let fragment = Fragment(
                of: MavenMetadata.identifier(key), section: MavenSection.plugins, name: "\(words[1])/\(version)", sortKey: plugin.sortKey, bytes: [])
            return Edit.Change.extend(Component(Coordinates(package: package, version: version), assets: [], fragments: [fragment]), .always)
        }
        if !changes.isEmpty { try await content.commit(Edit(changes)) }
    }
}
