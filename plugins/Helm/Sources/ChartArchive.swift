import Compression
import FormatAPI
import NIOCore

/// Reads a chart's archive as it comes, and keeps of it what is asked for. What it remembers does not grow with the archive.
///
/// Refused is what no chart has, or what harms who unpacks it: paths that lead out, links, more than Helm itself would unpack.
struct ChartArchive: Sendable {
    /// Helm's own bounds (`MaxDecompressedChartSize`, `MaxDecompressedFileSize`), in bytes.
    static let largest: Int64 = 100 << 20
    static let largestFile: Int64 = 5 << 20
    static let mostEntries = 20_000
    /// Of the names of templates together, in bytes.
    static let mostNames = 1 << 20

    /// Of files right below the chart's folder, whose content is wanted: their longest, in bytes.
    private let wanted: [String: Int64]
    private let decoder = GzipDecoder()
    private var tar = TarReader()
    private var total: Int64 = 0
    private var entries = 0
    /// The chart's folder, which bears its name.
    private var folder: String?
    var name: String? { self.folder }
    private var current: (name: String, content: ByteBuffer)?
    /// By their paths below the chart's folder.
    private(set) var found: [String: ByteBuffer] = [:]
    /// Paths of the chart's own templates.
    private(set) var templates: [String] = []
    private var names = 0
    /// Those right below the chart's folder.
    private var files: Set<String> = []

    init(wanting wanted: [String: Int64]) { self.wanted = wanted }

    /// Takes the processor: for the pool.
    /// - Throws: `.invalidRequest`, `.tooLarge`.
    mutating func feed(_ bytes: ByteBuffer) throws(FormatError) {
        var input = bytes
        do {
            while let piece = try self.decoder.decode(&input) {
                self.total += Int64(piece.readableBytes)
                guard self.total <= Self.largest else {
                    throw FormatError(.tooLarge, "the chart has more than \(Self.largest >> 20) MiB when it is unpacked, and Helm takes no more")
                }
                self.tar.feed(piece)
                try self.drain()
            }
        } catch let error as FormatError {
            throw error
        } catch let flaw as TarReader.Flaw {
            throw FormatError(.invalidRequest, "the chart's archive cannot be read: \(flaw.message)", cause: flaw)
        } catch {
            throw FormatError(.invalidRequest, "this is not a chart: it is not compressed by gzip, or damaged", cause: error)
        }
    }

    /// - Throws: `.invalidRequest`.
    mutating func finish() throws(FormatError) {
        do { try self.decoder.finish() } catch { throw FormatError(.invalidRequest, "the chart's archive breaks off", cause: error) }
        guard self.folder != nil, self.tar.isBetween else { throw FormatError(.invalidRequest, "the chart's archive is empty, or breaks off") }
        self.keepCurrent()
    }

    private mutating func drain() throws {
        while let event = try self.tar.next() {
            switch event {
            case .entry(let entry):
                self.keepCurrent()
                try self.begin(entry)
            case .content(let bytes): self.current?.content.writeImmutableBuffer(bytes)
            case .end: self.keepCurrent()
            }
        }
    }

    private mutating func keepCurrent() {
        if let (name, content) = self.current { self.found[name] = content }
        self.current = nil
    }

    private mutating func begin(_ entry: TarReader.Entry) throws(FormatError) {
        self.entries += 1
        guard self.entries <= Self.mostEntries else { throw FormatError(.tooLarge, "the chart has more than \(Self.mostEntries) files") }
        switch entry.kind {
        case .link: throw FormatError(.invalidRequest, "the chart's archive has a link, «\(entry.path.prefix(200))»: charts have files alone")
        case .other: throw FormatError(.invalidRequest, "«\(entry.path.prefix(200))» in the chart's archive is no file")
        case .folder, .file: break
        }
        let path = try Self.parts(of: entry.path)
        guard let top = path.first else { return }
        if entry.kind == .file, path.count == 1 { throw FormatError(.invalidRequest, "«\(top)» lies beside the chart's folder, and not in it") }
        // Helm takes the files of all folders for the chart's, and of two the last.
        self.folder = self.folder ?? top
        guard top == self.folder else {
            throw FormatError(.invalidRequest, "the archive has another folder beside «\(self.folder ?? "")»: «\(top.prefix(200))»")
        }
        guard entry.kind == .file else { return }
        let name = path.dropFirst().joined(separator: "/")
        guard path.count > 2 || self.files.insert(name).inserted else { throw FormatError(.invalidRequest, "the archive has two files «\(name.prefix(200))»") }
        if path.count > 2, path[1] == "templates" { try self.add(template: name) }
        guard entry.size <= Self.largestFile else {
            throw FormatError(.tooLarge, "«\(name.prefix(200))» has more than \(Self.largestFile >> 20) MiB, and Helm takes no such file")
        }
        guard let longest = self.wanted[name] else { return }
        guard entry.size <= longest else { throw FormatError(.tooLarge, "\(name) has more than \(longest >> 10) KiB") }
        self.current = (name, ByteBuffer())
    }

    private mutating func add(template name: String) throws(FormatError) {
        self.names += name.utf8.count
        guard self.names <= Self.mostNames else { throw FormatError(.tooLarge, "the names of the chart's templates are too long together") }
        self.templates.append(name)
    }

    private static func parts(of path: String) throws(FormatError) -> [String] {
        guard !path.hasPrefix("/"), !path.contains("\\"), path.utf8.dropFirst().first != UInt8(ascii: ":"), !path.utf8.contains(0), path.utf8.count <= 4096
        else {
            throw FormatError(.invalidRequest, "«\(path.prefix(200))» in the chart's archive is no path below its folder")
        }
        let parts = path.split(separator: "/").map(String.init).filter { $0 != "." }
        guard !parts.contains("..") else { throw FormatError(.invalidRequest, "«\(path.prefix(200))» in the chart's archive leads out of it") }
        return parts
    }
}
