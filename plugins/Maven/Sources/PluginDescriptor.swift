import ArtifactModel
import FormatAPI
import NIOCore

/// `META-INF/maven/plugin.xml` in a plugin's jar: by its prefix people call it, `mvn hello:greet`. <https://maven.apache.org/ref/current/maven-plugin-api/plugin.html>
struct PluginDescriptor: Hashable, Sendable {
    var prefix = ""
    var name = ""

    private static let path = "META-INF/maven/plugin.xml"
    /// In bytes: of the archive's directory and of the descriptor.
    private static let largestDirectory: Int64 = 8 << 20
    private static let largest = 4 << 20

    /// nil: the jar is no plugin, or none that can be read.
    static func read(_ source: any ContentSource, size: Int64, _ context: RequestContext) async throws -> PluginDescriptor? {
        let tail = try await Self.bytes(source, max(0, size - 65_557)..<size, context)
        let found = try await context.compute.run { ZipDirectory.end(in: tail.readableBytesView) }
        guard let end = found, end.size <= Self.largestDirectory, end.offset + end.size <= size else { return nil }
        let directory = try await Self.bytes(source, end.offset..<end.offset + end.size, context)
        let entry = try await context.compute.run { ZipDirectory.entry(Self.path, in: directory.readableBytesView) }
        guard let entry, entry.compressed <= Self.largest, entry.offset + 30 <= size else { return nil }
        let head = try await Self.bytes(source, entry.offset..<entry.offset + 30, context)
        guard let start = ZipDirectory.dataOffset(head.readableBytesView), entry.offset + start + entry.compressed <= size else { return nil }
        let begin = entry.offset + start
        let stored = try await Self.bytes(source, begin..<begin + entry.compressed, context)
        guard let text = try await Self.inflated(stored, entry, context) else { return nil }
        return try await context.compute.run { Self.parse(text.readableBytesView) }
    }

    private static func bytes(_ source: any ContentSource, _ range: Range<Int64>, _ context: RequestContext) async throws -> ByteBuffer {
        var out = ByteBuffer()
        while Int64(out.readableBytes) < range.upperBound - range.lowerBound {
            let at = range.lowerBound + Int64(out.readableBytes)
            guard var piece = try await source.read(at: at, limit: range.upperBound - at, on: context.compute), piece.readableBytes > 0 else { break }
            out.writeBuffer(&piece)
        }
        return out
    }

    /// A zip's deflated bytes are a gzip's, without its head and its end.
    private static func inflated(_ bytes: ByteBuffer, _ entry: ZipDirectory.Entry, _ context: RequestContext) async throws -> ByteBuffer? {
        guard entry.method == 8 else { return entry.method == 0 ? bytes : nil }
        var gzip = ByteBuffer(bytes: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])
        gzip.writeImmutableBuffer(bytes)
        gzip.writeInteger(entry.checksum, endianness: .little)
        gzip.writeInteger(UInt32(truncatingIfNeeded: entry.size), endianness: .little)
        do { return try await context.decompress(gzip, Self.largest) } catch is FormatError { return nil }
    }

    private static func parse(_ bytes: some Sequence<UInt8>) -> PluginDescriptor? {
        var (plugin, path): (PluginDescriptor, [String]) = (PluginDescriptor(), [])
        do {
            try XMLTokenizer.events(bytes) { (event) throws(FormatError) in
                switch event {
                case .start(let name): path.append(name)
                case .end(_, let text):
                    if path == ["plugin", "goalPrefix"] { plugin.prefix = text }
                    if path == ["plugin", "name"] { plugin.name = text }
                    path.removeLast()
                }
            }
        } catch {
            return nil
        }
        return plugin.prefix.isEmpty || plugin.prefix.utf8.count > 200 ? nil : plugin
    }
}

/// The directory at the end of a zip archive. APPNOTE.TXT, 4.3; no archives of more than 4 GiB.
enum ZipDirectory {
    struct Entry: Hashable, Sendable {
        var method: UInt16
        var checksum: UInt32
        /// In bytes.
        var compressed: Int64
        var size: Int64
        var offset: Int64
    }

    /// Where the directory lies; nil: this is the end of no archive.
    static func end(in tail: ByteBufferView) -> (offset: Int64, size: Int64)? {
        guard tail.count >= 22 else { return nil }
        for back in 22...tail.count {
            let at = tail.endIndex - back
            guard Self.number(tail, at, 4) == 0x0605_4B50 else { continue }
            return (Self.number(tail, at + 16, 4), Self.number(tail, at + 12, 4))
        }
        return nil
    }

    static func entry(_ name: String, in directory: ByteBufferView) -> Entry? {
        var at = directory.startIndex
        while at + 46 <= directory.endIndex, Self.number(directory, at, 4) == 0x0201_4B50 {
            let length = Int(Self.number(directory, at + 28, 2))
            let next = at + 46 + length + Int(Self.number(directory, at + 30, 2)) + Int(Self.number(directory, at + 32, 2))
            guard at + 46 + length <= directory.endIndex else { return nil }
            if directory[(at + 46)..<(at + 46 + length)].elementsEqual(name.utf8) {
                return Entry(
                    method: UInt16(Self.number(directory, at + 10, 2)), checksum: UInt32(Self.number(directory, at + 16, 4)),
                    compressed: Self.number(directory, at + 20, 4), size: Self.number(directory, at + 24, 4), offset: Self.number(directory, at + 42, 4))
            }
            at = next
        }
        return nil
    }

    /// How far behind its own head an entry's bytes begin; nil: this is no such head.
    static func dataOffset(_ head: ByteBufferView) -> Int64? {
        guard head.count == 30, Self.number(head, head.startIndex, 4) == 0x0403_4B50 else { return nil }
        return 30 + Self.number(head, head.startIndex + 26, 2) + Self.number(head, head.startIndex + 28, 2)
    }

    /// Little-endian.
    private static func number(_ bytes: ByteBufferView, _ at: Int, _ count: Int) -> Int64 {
        (0..<count).reduce(0) { $0 | Int64(bytes[at + $1]) << (8 * $1) }
    }
}
