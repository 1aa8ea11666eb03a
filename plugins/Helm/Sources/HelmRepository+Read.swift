import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore

extension HelmRepository {
    func index(_ content: any RepositoryContent) async throws -> ArtifactResponse {
        guard let index = try await content.document(ChartIndex.self, ChartIndex.Key()) else { throw FormatError(.notFound, "there is no index here") }
        return ArtifactResponse(.ok, body: .content(index)).repeatable
    }

    /// A chart's archive, or its provenance. What is kept is given without a look at any index.
    func read(_ file: ChartFile, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let path = AssetPath(checked: file.text)
        let kept = try await content.gather(file.name.text) { member in
            try await member.content(ContentRequest(path, .immutable, contentType: Self.type(file)))
        }
        if let found = kept.parts.compactMap({ $0 }).first { return ArtifactResponse(.ok, body: .content(found)).repeatable }
        for id in file.readings {
            guard let want = try await self.wanted(id, isProvenance: file.isProvenance, content) else { continue }
            if let found = try await content.content(want) { return ArtifactResponse(.ok, body: .content(found)).repeatable }
        }
        if let trouble = kept.trouble { throw trouble }
        throw Self.absent(file.text)
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
            guard let found = try await address.layer(isProvenance ? ChartArtifact.provenanceType : ChartArtifact.archiveType, content) else { return nil }
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
    private static func type(_ file: ChartFile) -> String { file.isProvenance ? self.provenanceType : self.archiveType }

    /// Of an entry in our own form: its members are in one line, and `digest` is a member of the entry alone.
    private static func digest(in entry: ByteBuffer) -> ContentDigest? {
        let mark = Array(",\"digest\":\"".utf8)
        let bytes = entry.readableBytesView
        guard let place = bytes.lastRange(of: mark), bytes.count >= place.upperBound - bytes.startIndex + 64 else { return nil }
        let hex = String(decoding: bytes[place.upperBound..<(place.upperBound + 64)], as: UTF8.self)
        do { return try ContentDigest("sha256:\(hex)") } catch { return nil }
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
