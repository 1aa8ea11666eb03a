import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore

/// What ChartMuseum's clients ask: https://chartmuseum.com/docs/#chart-manipulation.
extension HelmRepository {
    /// In bytes: a page of it is put together in memory.
    private static let largestPage = 64 << 20

    /// All charts with all their versions: the index without its frame. `offset` and `limit` count charts.
    func charts(_ head: RequestHead, _ key: ChartIndex.Key, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        guard head.query("offset") != nil || head.query("limit") != nil else {
            guard let index = try await content.document(ChartIndex.self, key) else { return Self.json("{}") }
            return try await self.entries(of: index, content)
        }
        guard let offset = Int(head.query("offset") ?? "0"), let limit = Int(head.query("limit") ?? "1000"), offset >= 0, (1...10_000).contains(limit) else {
            throw FormatError(.invalidRequest, "offset and limit count charts: limit is at most 10000")
        }
        let charts = try await self.charts(key, content)
        let names = charts.keys.sorted { ByteText.precedes($0.text, $1.text) }.dropFirst(offset).prefix(limit)
        var body = ByteBuffer(string: "{")
        for (place, name) in names.enumerated() {
            body.writeString("\(place > 0 ? "," : "")\"\(name)\":")
            body.writeImmutableBuffer(try await self.list(of: charts[name] ?? [], key, content))
            guard body.readableBytes <= Self.largestPage else { throw FormatError(.invalidRequest, "this page is too long: ask for fewer charts") }
        }
        body.writeString("}\n")
        return Self.json(body)
    }

    /// The part of the index's document between its first words and its last.
    private func entries(of index: Content, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        guard let size = index.head.size, size <= Self.largestPage else {
            throw FormatError(.invalidRequest, "there are too many charts for one answer: ask with offset and limit")
        }
        let bytes = try await index.source.readAll(size, on: content.context.compute)
        let start = ChartIndex.beforeEntries.utf8.count
        guard let end = bytes.readableBytesView.lastRange(of: Array(ChartIndex.end.utf8)),
            let part = bytes.getSlice(at: bytes.readerIndex + start, length: end.lowerBound + 1 - bytes.readerIndex - start)
        else { throw FormatError(.internalFailure, "the index has another form than it should") }
        var response = Self.json(part)
        response.headers[.eTag] = index.head.entityTag
        response.mark(skipped: index.skippedMembers)
        return response.repeatable
    }

    func versions(of name: ChartName, _ key: ChartIndex.Key, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let list = try await self.list(of: try await self.entries(of: name, key, content), key, content)
        guard list.readableBytes > 2 else { throw Self.absent(name.text) }
        return Self.json(list)
    }

    func describe(_ id: ChartID, _ key: ChartIndex.Key, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        guard let entry = try await self.entry(id, key, content) else { throw Self.absent(id.description) }
        return Self.json(entry)
    }

    // MARK: Entries

    /// Of each chart its versions, the highest first.
    private func charts(_ key: ChartIndex.Key, _ content: any RepositoryContent) async throws -> [ChartName: [ChartID]] {
        let outlines = try await content.outlines(ChartIndex.self, ChartIndex.Key(), .asConfigured)?.parts ?? []
        let extra = (key.extra?.charts ?? [:]).keys
        return try await content.context.compute.run {
            let own = outlines.flatMap(\.entries).compactMap { entry -> ChartID? in
                guard let name = ChartName(reading: ChartIndex.chart(of: entry)), let version = ChartVersion(reading: ChartIndex.version(of: entry)) else {
                    return nil
                }
                return ChartID(name: name, version: version)
            }
            return Dictionary(grouping: Set(own).union(extra), by: \.name).mapValues { ids in
                ids.map { (ChartIndex.sortKey($0), $0) }.sorted { $0.0.lexicographicallyPrecedes($1.0) }.map(\.1)
            }
        }
    }

    func entries(of name: ChartName, _ key: ChartIndex.Key, _ content: any RepositoryContent) async throws -> [ChartID] {
        try await self.charts(key, content)[name] ?? []
    }

    private func list(of ids: [ChartID], _ key: ChartIndex.Key, _ content: any RepositoryContent) async throws -> ByteBuffer {
        var list = ByteBuffer(string: "[")
        for id in ids {
            guard let entry = try await self.entry(id, key, content) else { continue }
            if list.readableBytes > 1 { list.writeString(",") }
            list.writeImmutableBuffer(entry)
        }
        list.writeString("]")
        return list
    }

    /// As a client sees it: its address is here.
    private func entry(_ id: ChartID, _ key: ChartIndex.Key, _ content: any RepositoryContent) async throws -> ByteBuffer? {
        guard let entry = try await content.entry(ChartIndex.self, key, section: ChartIndex.section, name: id.entryName) else {
            return key.extra?.charts[id].map { ByteBuffer(bytes: $0.entry) }
        }
        guard let slot = entry.slots.first else { return entry.bytes }
        var out = entry.bytes.getSlice(at: entry.bytes.readerIndex, length: Int(slot.bytes.lowerBound)) ?? ByteBuffer()
        out.writeString(PercentEncoding.path(slot.path))
        let rest = Int(slot.bytes.upperBound)
        out.writeImmutableBuffer(entry.bytes.getSlice(at: entry.bytes.readerIndex + rest, length: entry.bytes.readableBytes - rest) ?? ByteBuffer())
        return out
    }

    // MARK: What is in a chart

    /// Its README, its values, their schema, or the names of its templates, out of its archive.
    func part(_ part: HelmAddress.Part, of id: ChartID, _ settings: HelmSettings, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        guard let found = try await self.found(id, isProvenance: false, settings, content) else { throw Self.absent(id.description) }
        let archive = try await self.archive(of: found, wanting: part.file.map { [$0: ChartArchive.largestFile] } ?? [:], content.context.compute)
        guard let file = part.file else {
            var json = JSONText()
            json.raw("{")
            json.list("templates", archive.templates)
            json.raw("}\n")
            return Self.json(ByteBuffer(bytes: json.bytes)).repeatable
        }
        guard let bytes = archive.found[file] else { throw FormatError(.notFound, "\(id) has no \(file)") }
        let types: [HelmAddress.Part: String] = [.readme: "text/markdown; charset=utf-8", .values: "application/yaml", .schema: "application/json"]
        return ArtifactResponse(.ok, headers: [.contentType: types[part] ?? "text/plain"], body: .bytes(bytes)).repeatable
    }

    private func archive(of content: Content, wanting wanted: [String: Int64], _ compute: any BlockingPool) async throws -> ChartArchive {
        var archive = ChartArchive(wanting: wanted)
        var at: Int64 = 0
        while let bytes = try await content.source.read(at: at, limit: 256 << 10, on: compute) {
            let state = archive
            archive = try await compute.run {
                var archive = state
                try archive.feed(bytes)
                return archive
            }
            at += Int64(bytes.readableBytes)
        }
        return archive
    }

    static func json(_ text: String) -> ArtifactResponse { self.json(ByteBuffer(string: text)) }
    static func json(_ bytes: ByteBuffer, _ status: HTTPResponse.Status = .ok) -> ArtifactResponse {
        ArtifactResponse(status, headers: [.contentType: "application/json"], body: .bytes(bytes))
    }
}
