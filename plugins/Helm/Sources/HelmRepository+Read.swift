import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore

extension HelmRepository {
    func index(_ key: ChartIndex.Key, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        guard let index = try await content.document(ChartIndex.self, key) else { throw FormatError(.notFound, "there is no index here") }
        return ArtifactResponse(.ok, body: .content(index)).repeatable
    }

    /// A chart's archive, or its provenance.
    func read(_ file: ChartFile, _ settings: HelmSettings, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        guard let found = try await self.found(file.id, isProvenance: file.isProvenance, settings, content) else { throw Self.absent(file.text) }
        return ArtifactResponse(.ok, body: .content(found)).repeatable
    }

    /// Of the member whose entry the index shows; where none has one, what is kept, and what a registry has.
    func found(_ id: ChartID, isProvenance: Bool, _ settings: HelmSettings, _ content: any RepositoryContent) async throws -> Content? {
        var (want, unknown): (ContentRequest?, FormatError?)
        do { want = try await self.wanted(id, isProvenance: isProvenance, content) } catch let error as FormatError { unknown = error }
        if let want {
            // Of this member alone, whatever another has under the same name.
            let given = try await content.gather(id.name.text) { member in
                member.context.repository == want.from ? try await member.content(want) : nil
            }
            if let found = given.parts.compactMap({ $0 }).first { return found }
            if let trouble = given.trouble { throw trouble }
            return nil
        }
        // What the index shows of a registry goes before what an upstream lists no more, and is here from before.
        var trouble = unknown
        if unknown == nil {
            do {
                if let found = try await self.shown(id, isProvenance: isProvenance, settings, content) { return found }
            } catch let error as FormatError {
                trouble = error
            }
        }
        let path = isProvenance ? id.provenancePath : id.path
        let kept = try await content.gather(id.name.text) { member in
            try await member.content(ContentRequest(path, .immutable, contentType: isProvenance ? Self.provenanceType : Self.archiveType))
        }
        if let found = kept.parts.compactMap({ $0 }).first { return found }
        if unknown != nil, let found = try await self.shown(id, isProvenance: isProvenance, settings, content) { return found }
        // Nobody can say whether there is one.
        if let trouble = trouble ?? kept.trouble { throw trouble }
        return nil
    }

    /// Of a registry's charts that are shown here.
    private func shown(_ id: ChartID, isProvenance: Bool, _ settings: HelmSettings, _ content: any RepositoryContent) async throws -> Content? {
        guard var found = try await self.extra(settings, content.context)?.content(of: id, isProvenance: isProvenance) else { return nil }
        found.head.contentType = isProvenance ? Self.provenanceType : Self.archiveType
        return found
    }

    /// Of a chart that must be there.
    func request(_ id: ChartID, _ content: any RepositoryContent) async throws -> ContentRequest {
        guard let want = try await self.wanted(id, isProvenance: false, content) else { throw Self.absent(id.description) }
        return want
    }

    /// What the index says of it: where it is, and what it hashes to. nil: the index has no such chart.
    private func wanted(_ id: ChartID, isProvenance: Bool, _ content: any RepositoryContent) async throws -> ContentRequest? {
        guard let entry = try await content.entry(ChartIndex.self, ChartIndex.Key(), section: ChartIndex.section, name: id.entryName) else { return nil }
        var want = ContentRequest(isProvenance ? id.provenancePath : id.path, .immutable, contentType: isProvenance ? Self.provenanceType : Self.archiveType)
        want.from = entry.member
        guard let original = entry.originals.first else { return want }
        want.largest = isProvenance ? Provenance.longest : ChartArchive.largest
        let bytes = entry.bytes
        let digest = isProvenance ? nil : try await content.context.compute.run { Self.digest(in: bytes) }
        if let digest { want.expecting = [digest] }
        if let address = OCIAddress(original, id.version) {
            let type = isProvenance ? ChartArtifact.provenanceType : ChartArtifact.archiveType
            guard let found = try await address.layer(type, of: id.name, from: entry.member, content) else { return nil }
            want.upstream = address.blob(found)
            if !want.expecting.contains(found) { want.expecting.append(found) }
            return want
        }
        want.upstream = UpstreamResource(Self.location(isProvenance ? Self.provenance(of: original) : original), mayBePage: false)
        return want
    }

    /// As Helm resolves it: against the index's own folder.
    private static func location(_ url: String) -> UpstreamResource.Location { url.contains("://") ? .absolute(url) : .reference(url) }

    /// Before the query, if there is one.
    private static func provenance(of url: String) -> String {
        let path = url.prefix { $0 != "?" }
        return path + ".prov" + url.dropFirst(path.count)
    }

    static let archiveType = "application/gzip"
    static let provenanceType = "text/plain; charset=utf-8"

    /// Of an entry in our own form: it stands right before the address, and nowhere else.
    private static func digest(in entry: ByteBuffer) -> ContentDigest? {
        let (before, after) = (Array(",\"digest\":\"".utf8), ChartIndex.beforeURL.withUTF8Buffer { Array($0) })
        let bytes = entry.readableBytesView
        guard let address = bytes.lastRange(of: after), case let end = address.lowerBound - 1, case let start = end - 64,
            start - before.count >= bytes.startIndex, bytes[(start - before.count)..<start].elementsEqual(before)
        else { return nil }
        do { return try ContentDigest("sha256:\(String(decoding: bytes[start..<end], as: UTF8.self))") } catch { return nil }
    }
}

extension ByteBufferView {
    /// Places of the last occurrence.
    func lastRange(of part: [UInt8]) -> Range<Int>? {
        var at = self.endIndex - part.count
        while at >= self.startIndex {
            if self[at] == part[0], self[at..<(at + part.count)].elementsEqual(part) { return at..<(at + part.count) }
            at -= 1
        }
        return nil
    }
}
