import FormatAPI
import NIOCore
import YAMLEvents

/// Makes of an upstream's `index.yaml` what is kept of it: a line for each chart and version, `name⇥version⇥entry`, so that it is parsed once for each change
/// and never for a request. One entry is in memory at a time.
struct ChartIndexConverter: DocumentConverter {
    /// Of an entry, in bytes.
    static let longestEntry = 1 << 20
    static let mostEntries = 500_000

    /// - Throws: `.upstreamFailed` where it is no index.
    func convert(_ read: @escaping (UnsafeMutableRawBufferPointer) throws -> Int, _ write: (ByteBuffer) throws -> Void) throws {
        let reader = YAMLReader(read)
        do {
            var conversion = Conversion(reader: reader)
            try conversion.run(write)
        } catch let flaw as YAMLFlaw {
            throw Self.unreadable(flaw)
        } catch let error as YAMLTooLarge {
            throw Self.unreadable(error.flaw)
        }
    }

    private static func unreadable(_ flaw: YAMLFlaw) -> FormatError {
        FormatError(.upstreamFailed, "the upstream's index cannot be read, line \(flaw.line): \(flaw.message)", cause: flaw)
    }

    private struct Conversion {
        let reader: YAMLReader
        var builder = YAMLTreeBuilder()
        var output = ByteBuffer()
        var isIndex = false
        var count = 0
        /// Bytes of entries, those that were left out too.
        var made = 0
        /// Of the chart that is being read.
        var versions: Set<String> = []

        mutating func run(_ write: (ByteBuffer) throws -> Void) throws {
            guard case .beginMapping? = try self.reader.next() else { throw Self.noIndex("it is no mapping") }
            while let event = try self.reader.next(), event != .endMapping {
                guard case .scalar(let key, _, _) = event, let value = try self.reader.next() else { throw Self.noIndex("a key of it is no word") }
                if key == "entries" { try self.entries(value, write) } else { try self.member(key, value) }
            }
            guard self.isIndex else { throw Self.noIndex("it has no entries") }
            try write(self.output)
        }

        private mutating func member(_ key: String, _ event: YAMLEvent) throws {
            let value = try self.builder.value(beginningWith: event, self.reader)
            guard key != "apiVersion" || value.text == "v1" else { throw Self.noIndex("its apiVersion is not v1") }
        }

        private mutating func entries(_ event: YAMLEvent, _ write: (ByteBuffer) throws -> Void) throws {
            self.isIndex = true
            guard case .beginMapping = event else {
                // `entries:` alone is an empty index.
                _ = try self.builder.value(beginningWith: event, self.reader)
                return
            }
            while let event = try self.reader.next(), event != .endMapping {
                guard case .scalar(let chart, _, _) = event, let value = try self.reader.next() else { throw Self.noIndex("a chart's name is no word") }
                guard case .beginSequence = value else {
                    _ = try self.builder.value(beginningWith: value, self.reader)
                    continue
                }
                self.versions = []
                while let item = try self.reader.next(), item != .endSequence {
                    if let entry = try self.entry(item) { try self.add(entry, of: chart) }
                    guard self.output.readableBytes >= 256 << 10 else { continue }
                    try write(self.output)
                    self.output.clear()
                }
            }
        }

        /// nil: it is too large to be one.
        private mutating func entry(_ event: YAMLEvent) throws -> YAMLTree? {
            do {
                return try self.builder.value(beginningWith: event, self.reader)
            } catch is YAMLTooLarge {
                return nil
            }
        }

        /// What no client of ours could ask for is left out: an entry that is broken hides no other.
        private mutating func add(_ entry: YAMLTree, of chart: String) throws {
            self.count += 1
            guard self.count <= ChartIndexConverter.mostEntries else { throw Self.noIndex("it has more than \(ChartIndexConverter.mostEntries) entries") }
            // Of a version that comes twice, the first.
            guard let metadata = Self.metadata(entry), metadata.name.text == chart, metadata.id.isPlain,
                let url = entry["urls"]?.items?.lazy.compactMap(\.text).first(where: { !$0.isEmpty }), self.versions.insert(metadata.version.text).inserted
            else { return }
            let line = ChartIndex.entry(metadata, created: entry["created"]?.text, digest: Self.digest(entry), url: url)
            self.made += line.count
            // By what it refers to, a little may stand for any number of gigabytes.
            guard self.made <= (1 << 20) + 8 * self.reader.consumed else { throw Self.noIndex("it says the same again and again") }
            guard line.count <= ChartIndexConverter.longestEntry else { return }
            self.output.writeString("\(metadata.name)\t\(metadata.version)\t")
            self.output.writeBytes(line)
            self.output.writeStaticString("\n")
        }

        private static func metadata(_ entry: YAMLTree) -> ChartMetadata? {
            do { return try ChartMetadata(entry) } catch { return nil }
        }

        /// In hex; some write `sha256:` before it.
        private static func digest(_ entry: YAMLTree) -> String? {
            guard var text = entry["digest"]?.text?.lowercased() else { return nil }
            if text.hasPrefix("sha256:") { text.removeFirst(7) }
            return text.utf8.count == 64
                && text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) })
                ? text : nil
        }

        private static func noIndex(_ reason: String) -> FormatError {
            FormatError(.upstreamFailed, "what the upstream sent is no index of charts: \(reason)")
        }
    }
}
