import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import Synchronization

/// Charts that are published: by PUT of their file, by `POST /api/charts` with the archive as the body, or with a form.
extension HelmRepository {
    func put(_ file: ChartFile, _ request: ArtifactRequest, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        if file.isProvenance {
            let (provenance, bytes) = try await Self.provenance(request.body)
            guard provenance.file == file.chart else {
                throw FormatError(.invalidRequest, "the provenance is of «\(provenance.file)», and was sent as «\(file.text)»")
            }
            return try await self.keep(provenance, bytes, content)
        }
        let chart = try await self.stage(request.body, content) { id throws(FormatError) in
            guard id.file == file.text else { throw FormatError(.invalidRequest, "this is «\(id.file)» by its Chart.yaml, and was sent as «\(file.text)»") }
        }
        return try await self.keep(chart, nil, content)
    }

    /// ChartMuseum's way: `helm cm-push` sends a form with `chart` and `prov`, `curl --data-binary` the archive alone.
    func upload(_ request: ArtifactRequest, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        guard let form = MultipartForm(request.head, request.body) else {
            return try await self.keep(try await self.stage(request.body, content), nil, content)
        }
        var (chart, provenance): (StagedChart?, (Provenance, ByteBuffer)?)
        while let part = try await form.next() {
            switch part.name {
            case "chart" where chart == nil: chart = try await self.stage(part.body, content)
            case "prov" where provenance == nil: provenance = try await Self.provenance(part.body)
            default: continue
            }
        }
        if let chart { return try await self.keep(chart, provenance, content) }
        guard let (provenance, bytes) = provenance else { throw FormatError(.invalidRequest, "the form has neither a field «chart» nor one «prov»") }
        return try await self.keep(provenance, bytes, content)
    }

    func uploadProvenance(_ request: ArtifactRequest, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        guard let form = MultipartForm(request.head, request.body) else {
            let (provenance, bytes) = try await Self.provenance(request.body)
            return try await self.keep(provenance, bytes, content)
        }
        while let part = try await form.next() {
            guard part.name == "prov" else { continue }
            let (provenance, bytes) = try await Self.provenance(part.body)
            return try await self.keep(provenance, bytes, content)
        }
        throw FormatError(.invalidRequest, "the form has no field «prov»")
    }

    // MARK: Reading

    struct StagedChart: Sendable {
        var metadata: ChartMetadata
        var blob: StagedBlob
    }

    /// The archive is looked at while it passes, so that what is no chart is refused before the last byte of it is here.
    private func stage(
        _ body: ByteStream, _ content: any RepositoryContent, _ check: @escaping @Sendable (ChartID) throws(FormatError) -> Void = { _ throws(FormatError) in }
    ) async throws -> StagedChart {
        _ = try content.writable()
        let (inspection, compute) = (ChartInspection(check), content.context.compute)
        let passing = ByteStream(length: body.length) {
            guard let bytes = try await body.next() else { return nil }
            try await compute.run { try inspection.feed(bytes) }
            return bytes
        }
        let blob = try await content.stage(passing, StageDemand(limit: ChartArchive.largest))
        let metadata = try await compute.run { try inspection.finish() }
        guard content.context.isAllowed(Access(.write, path: metadata.name.text)) else {
            throw FormatError(.forbidden, "you may not publish «\(metadata.name)» here")
        }
        return StagedChart(metadata: metadata, blob: blob)
    }

    private static func provenance(_ body: ByteStream) async throws -> (Provenance, ByteBuffer) {
        guard let bytes = try await body.collect(upTo: Int(Provenance.longest)) else {
            throw FormatError(.tooLarge, "a provenance file is not longer than \(Provenance.longest >> 20) MiB")
        }
        return (try Provenance(bytes), bytes)
    }

    // MARK: Keeping

    private func keep(_ chart: StagedChart, _ provenance: (Provenance, ByteBuffer)?, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let (id, target) = (chart.metadata.id, try content.writable())
        var assets = [NewAsset(id.path, chart.blob, contentType: Self.archiveType)]
        var signature: StagedBlob?
        let isKept = try await self.isKept(chart, target)
        if let (provenance, bytes) = provenance {
            guard provenance.file == id.file else {
                throw FormatError(.invalidRequest, "the provenance is of «\(provenance.file)», and the chart is «\(id.file)»")
            }
            try provenance.check(chart.blob.digests)
            if isKept { return try await self.keep(provenance, bytes, content) }
            let blob = try await content.stage(ByteStream.once(bytes), StageDemand())
            assets.append(NewAsset(id.provenancePath, blob, contentType: Self.provenanceType))
            signature = blob
        }
        // The same again is what is there already, with the moment at which it came.
        if isKept { return Self.saved(chart.blob.digests) }
        let entry = ChartIndex.entry(
            chart.metadata, created: content.context.now().isoText, digest: chart.blob.digests.first(.sha256)?.hex, url: PercentEncoding.path(id.file))
        guard entry.count <= ChartIndexConverter.longestEntry else { throw FormatError(.tooLarge, "Chart.yaml is too long for an index") }
        let component = Component(
            id.coordinates, attributes: Self.attributes(of: chart.metadata, signature), sortKey: id.version.sortKey, assets: assets,
            fragments: [ChartIndex.fragment(id, entry)])
        var changes = [Edit.Change.extend(component, .byPolicy)]
        if provenance == nil, try await self.isOfAnother(id, chart.blob.digests, target) { changes += Self.forgetting(id) }
        try await self.commit(Edit(changes), of: id, as: id.file, content)
        return Self.saved(chart.blob.digests)
    }

    private func keep(_ provenance: Provenance, _ bytes: ByteBuffer, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let target = try content.writable()
        guard let id = ChartFile(provenance.file)?.id else { throw Self.absent(provenance.file) }
        guard content.context.isAllowed(Access(.write, path: id.name.text)) else { throw FormatError(.forbidden, "you may not publish «\(id.name)» here") }
        guard let chart = try await target.content(ContentRequest(id.path, .immutable, delivery: .head)) else {
            throw FormatError(
                .notFound, "there is no «\(provenance.file)» here that this could be the provenance of: upload the chart first, or both in one form")
        }
        try provenance.check(chart.head.digests)
        let blob = try await content.stage(ByteStream.once(bytes), StageDemand())
        var attributes = ChartArtifact.Attributes()
        attributes.note(blob)
        let component = Component(
            id.coordinates, attributes: JSON.text(attributes), assets: [NewAsset(id.provenancePath, blob, contentType: Self.provenanceType)])
        // That it is still the chart that it was compared with.
        let isSame = Edit.Requirement.asset(id.path, among: [chart.head.digests.first(.sha256)])
        try await self.commit(Edit(requiring: [isSame], [.extend(component, .byPolicy)]), of: id, as: "\(id.file).prov", content)
        return Self.saved(blob.digests)
    }

    private func commit(_ edit: Edit, of id: ChartID, as file: String, _ content: any RepositoryContent) async throws {
        do {
            try await content.commit(edit)
        } catch let refusal as Edit.Refused {
            switch refusal {
            case .policy:
                throw FormatError(
                    .conflict, "\(file) already exists with other content, and writePolicy allowOnce keeps it: raise the version, or delete it first",
                    cause: refusal)
            case .requirement:
                throw FormatError(.conflict, "\(id.file) was changed meanwhile; try again", cause: refusal)
            case .link, .missing: throw refusal
            }
        }
    }

    private func isKept(_ chart: StagedChart, _ target: any RepositoryContent) async throws -> Bool {
        guard let kept = try await target.content(ContentRequest(chart.metadata.id.path, .immutable, delivery: .head)) else { return false }
        return kept.head.digests.first(.sha256) == chart.blob.digests.first(.sha256)
    }

    /// Whether there is a provenance, and of other bytes than these.
    private func isOfAnother(_ id: ChartID, _ digests: [ContentDigest], _ target: any RepositoryContent) async throws -> Bool {
        guard let kept = try await target.content(ContentRequest(id.provenancePath, .immutable)) else { return false }
        let bytes = try await kept.source.readAll(Provenance.longest, on: target.context.compute)
        do {
            try Provenance(bytes).check(digests)
            return false
        } catch {
            return true
        }
    }

    private static func attributes(of metadata: ChartMetadata, _ provenance: StagedBlob?) -> String {
        var config = JSONText()
        metadata.write(to: &config)
        config.raw("}")
        var attributes = ChartArtifact.Attributes(
            appVersion: metadata.text("appVersion"), description: metadata.text("description"), type: metadata.text("type"), icon: metadata.text("icon"))
        attributes.config = String(decoding: config.bytes, as: UTF8.self)
        attributes.note(provenance)
        return JSON.text(attributes)
    }

    private static func saved(_ digests: [ContentDigest]) -> ArtifactResponse {
        var response = Self.json(ByteBuffer(string: "{\"saved\":true}\n"), .created)
        response.written = digests.first(.sha256)
        return response
    }

    // MARK: Deleting

    /// The provenance, and what its chart says of it.
    private static func forgetting(_ id: ChartID) -> [Edit.Change] {
        let nothing = Component(id.coordinates, attributes: #"{"provenance":null,"provenanceSize":null}"#, assets: [])
        return [.removeAsset(id.provenancePath), .extend(nothing, .always)]
    }

    func delete(_ file: ChartFile, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let target = try content.writable()
        let path = AssetPath(checked: file.text)
        if file.isProvenance {
            guard try await target.content(ContentRequest(path, .immutable, delivery: .head)) != nil else { throw Self.absent(file.text) }
            if try await target.content(ContentRequest(file.id.path, .immutable, delivery: .head)) != nil {
                try await content.commit(Edit(Self.forgetting(file.id)))
                return Self.json("{\"deleted\":true}\n")
            }
            // A proxy's, which is kept by itself.
            try await content.commit(Edit([.removeAsset(path)]))
            return Self.json("{\"deleted\":true}\n")
        }
        if try await self.remove(file.id, content) { return Self.json("{\"deleted\":true}\n") }
        // A proxy keeps files by themselves, and no versions.
        guard try await target.content(ContentRequest(path, .immutable, delivery: .head)) != nil else { throw Self.absent(file.text) }
        try await content.commit(Edit([.removeAsset(path)]))
        return Self.json("{\"deleted\":true}\n")
    }

    func delete(_ id: ChartID, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        guard try await self.remove(id, content) else { throw Self.absent(id.description) }
        return Self.json("{\"deleted\":true}\n")
    }

    /// - Returns: false: there is none.
    private func remove(_ id: ChartID, _ content: any RepositoryContent) async throws -> Bool {
        _ = try content.writable()
        guard content.context.isAllowed(Access(.delete, path: id.name.text)) else { return false }
        do {
            try await content.commit(Edit([.remove(id.coordinates)]))
            return true
        } catch let refusal as Edit.Refused {
            guard case .missing = refusal else { throw refusal }
            return false
        }
    }
}

/// Looks into a chart's archive while it passes. Fed by one task, piece after piece.
private final class ChartInspection: Sendable {
    private struct State: Sendable {
        var archive = ChartArchive(wanting: ["Chart.yaml": Int64(ChartMetadata.longest)])
        var metadata: ChartMetadata?
    }
    private let state = Mutex(State())
    private let check: @Sendable (ChartID) throws(FormatError) -> Void

    init(_ check: @escaping @Sendable (ChartID) throws(FormatError) -> Void) { self.check = check }

    /// Takes the processor: for the pool.
    func feed(_ bytes: ByteBuffer) throws {
        try self.state.withLock { state in
            try state.archive.feed(bytes)
            try self.look(&state)
        }
    }

    func finish() throws -> ChartMetadata {
        try self.state.withLock { state in
            try state.archive.finish()
            try self.look(&state)
            guard let metadata = state.metadata else { throw FormatError(.invalidRequest, "this is not a chart: it has no Chart.yaml in its folder") }
            return metadata
        }
    }

    private func look(_ state: inout State) throws {
        guard state.metadata == nil, let bytes = state.archive.found["Chart.yaml"] else { return }
        let metadata = try ChartMetadata(Array(bytes.readableBytesView))
        try metadata.check()
        try self.check(metadata.id)
        guard state.archive.name == metadata.name.text else {
            throw FormatError(
                .invalidRequest, "the chart is called «\(metadata.name)», and its folder «\(state.archive.name ?? "")»: helm package makes them one")
        }
        state.metadata = metadata
    }
}
