import ArtifactModel
import FormatAPI
import NIOCore

/// `index.yaml`: every chart of a repository in every version. Written as JSON, which is YAML too, one version a line: Helm reads that many times faster.
///
/// One section, `entries`, of entries named `chart/version`. Of a hosted repository they are whole; what a proxy keeps of its upstream's index is in our own
/// form (`ChartIndexConverter`), with the upstream's address of each chart in a slot.
enum ChartIndex: DerivedDocument {
    struct Key: Hashable, Sendable {
        /// Shown beside those of the rows, which go before them.
        var extra: ExtraCharts?
    }

    static let revision = 1
    static let section = "entries"
    static let file = "index.yaml"
    /// In bytes.
    static let largest: Int64 = 256 << 20

    static func identifier(_ key: Key) -> DocumentID { DocumentID("helm.index", "") }
    static func contentType(_ key: Key) -> String { "application/yaml" }
    static func name(_ key: Key) -> String? { nil }
    static func name(of entry: Outline.Entry, _ key: Key) -> String? { Self.chart(of: entry) }
    static func variant(_ key: Key) -> String { key.extra?.state ?? "" }
    static func existsEmpty(_ key: Key) -> Bool { true }
    static func path(_ key: Key) throws -> AssetPath { AssetPath(checked: ".index/index.yaml") }
    static func upstream(_ key: Key) -> UpstreamResource {
        UpstreamResource(
            .below(self.file), accept: ["application/yaml", "application/x-yaml", "text/yaml", "text/plain", "*/*"], mayBeCompressed: true, mayBePage: false)
    }
    static func scanner(_ key: Key) -> ChartIndexScanner { ChartIndexScanner() }
    static func converter(_ key: Key) -> (any DocumentConverter)? { ChartIndexConverter() }

    // MARK: Entries

    static func fragment(_ id: ChartID, _ bytes: [UInt8]) -> Fragment {
        Fragment(of: self.identifier(Key()), section: self.section, name: id.entryName, sortKey: self.sortKey(id), bytes: bytes)
    }

    /// By name, and of one name the highest version first.
    static func sortKey(_ id: ChartID) -> [UInt8] {
        // No version's key is the beginning of another's.
        Array(id.name.text.utf8) + [0] + (id.version.sortKey + [0] + Array(id.version.text.utf8)).map { ~$0 }
    }

    static func chart(of entry: Outline.Entry) -> String { String(entry.name.prefix { $0 != "/" }) }
    static func version(of entry: Outline.Entry) -> String { String(entry.name.drop { $0 != "/" }.dropFirst()) }

    /// An entry's JSON.
    /// - Parameter url: as it is to be asked for: below the index's own folder, or anywhere.
    static func entry(_ metadata: ChartMetadata, created: String?, digest: String?, url: String) -> [UInt8] {
        var json = JSONText()
        metadata.write(to: &json)
        if let created { json.member("created", created) }
        if let digest { json.member("digest", digest) }
        json.raw(Self.beforeURL)
        json.plain(url)
        json.raw("\"]}")
        return json.bytes
    }

    /// Stands once in each entry, and nowhere else in one: a quote within a text has a backslash before it.
    static let beforeURL: StaticString = ",\"urls\":[\""

    // MARK: The document

    static func compose(_ sources: [Outline], _ key: Key, into plan: inout DocumentPlan) throws(FormatError) {
        plan.write("{\"entries\":{")
        var chart: String?
        for entry in self.merged(sources, key.extra) {
            let name = entry.chart
            if let chart, chart == name {
                plan.write(",\n")
            } else {
                plan.write(chart == nil ? "\"\(name)\":[\n" : "\n],\"\(name)\":[\n")
                chart = name
            }
            switch entry.from {
            case .source(let source, let entry): self.copy(entry, from: source, into: &plan)
            case .extra(let bytes): plan.write(bytes)
            }
        }
        plan.write(chart == nil ? self.end : "\n]" + self.end)
        plan.writePublicPath()
        plan.write("\"}}\n")
    }

    /// What follows the last entry: charts as `/api/charts` has them end before it.
    static let end = "},\"apiVersion\":\"v1\",\"serverInfo\":{\"contextPath\":\""
    static let beforeEntries = "{\"entries\":"

    private struct Shown {
        enum From {
            case source(Int, Outline.Entry)
            case extra([UInt8])
        }
        var chart: String
        var sortKey: [UInt8]
        var from: From
    }

    private static func merged(_ sources: [Outline], _ extra: ExtraCharts?) -> [Shown] {
        var all: [Shown] = []
        var known: Set<String> = []
        let isAlone = sources.count == 1 && extra == nil
        for (number, source) in sources.enumerated() {
            for entry in source.entries where isAlone || known.insert(entry.name).inserted {
                all.append(Shown(chart: self.chart(of: entry), sortKey: entry.sortKey, from: .source(number, entry)))
            }
        }
        for (id, chart) in extra?.charts ?? [:] where !known.contains(id.entryName) {
            all.append(Shown(chart: id.name.text, sortKey: self.sortKey(id), from: .extra(chart.entry)))
        }
        return all.sorted { $0.sortKey.lexicographicallyPrecedes($1.sortKey) }
    }

    /// Its chart is asked of us, under the name that it has here.
    private static func copy(_ entry: Outline.Entry, from source: Int, into plan: inout DocumentPlan) {
        guard let slot = entry.slots.first else { return plan.copy(entry.bytes, from: source) }
        plan.copy(entry.bytes.lowerBound..<slot.bytes.lowerBound, from: source)
        plan.write(PercentEncoding.path(slot.path))
        plan.copy(slot.bytes.upperBound..<entry.bytes.upperBound, from: source)
    }
}

/// Reads the lines that `ChartIndexConverter` writes: name, version and entry, with tabs between.
struct ChartIndexScanner: OutlineScanner {
    private var line: [UInt8] = []
    private var start: Int64 = 0
    private var count = 0

    mutating func feed(_ chunk: ByteBuffer, at offset: Int64, into outline: inout Outline) throws(FormatError) {
        var rest = chunk.readableBytesView
        var at = offset
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            self.line += rest[rest.startIndex..<end]
            at += Int64(end - rest.startIndex) + 1
            try self.add(to: &outline)
            self.line.removeAll(keepingCapacity: true)
            self.start = at
            rest = rest[(end + 1)...]
        }
        self.line += rest
        guard self.line.count <= ChartIndexConverter.longestEntry * 2 else { throw Self.damaged }
    }

    mutating func finish(into outline: inout Outline) throws(FormatError) {
        guard self.line.isEmpty else { throw Self.damaged }
    }

    private static var damaged: FormatError { FormatError(.internalFailure, "the kept index is damaged") }

    private mutating func add(to outline: inout Outline) throws(FormatError) {
        let words = self.line.split(separator: UInt8(ascii: "\t"), maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count == 3, let name = ChartName(reading: String(decoding: words[0], as: UTF8.self)),
            let version = ChartVersion(reading: String(decoding: words[1], as: UTF8.self)), let url = Self.url(in: words[2])
        else { throw Self.damaged }
        let id = ChartID(name: name, version: version)
        let slot = DocumentSlot(self.start + Int64(url.lowerBound)..<self.start + Int64(url.upperBound), path: id.file)
        let bytes = self.start + Int64(words[2].startIndex)..<self.start + Int64(words[2].endIndex)
        outline.add(Outline.Entry(section: ChartIndex.section, name: id.entryName, sortKey: ChartIndex.sortKey(id), bytes: bytes, slots: [slot]))
    }

    /// Places in the line.
    private static func url(in entry: ArraySlice<UInt8>) -> Range<Int>? {
        let end = entry.endIndex - 3
        let start = ChartIndex.beforeURL.withUTF8Buffer { mark in
            var at = end - mark.count
            while at >= entry.startIndex {
                if entry[at] == mark[0], entry[at..<(at + mark.count)].elementsEqual(mark) { return at + mark.count }
                at -= 1
            }
            return -1
        }
        return start >= 0 ? start..<end : nil
    }
}
