import FormatAPI
import NIOCore

/// Finds what an upstream's `maven-metadata.xml` says. Texts in it are short, and so is what is remembered between pieces.
struct MavenMetadataScanner: OutlineScanner {
    private var tokenizer = XMLTokenizer()
    private var path: [String] = []
    private var length: Int64 = 0
    /// Of the `snapshotVersion` or `plugin` that is being read, by element.
    private var fields: [String: String] = [:]

    mutating func feed(_ chunk: ByteBuffer, at offset: Int64, into outline: inout Outline) throws(FormatError) {
        self.length = offset + Int64(chunk.readableBytes)
        guard self.length <= MavenMetadata.largest else { throw Self.flaw("it is longer than \(MavenMetadata.largest >> 20) MiB") }
        var events: [XMLTokenizer.Event] = []
        do {
            try self.tokenizer.feed(chunk.readableBytesView) { (event) throws(FormatError) in events.append(event) }
        } catch {
            throw FormatError(.upstreamFailed, "the upstream's metadata cannot be read", cause: error)
        }
        for event in events { try self.take(event, &outline) }
        guard outline.entries.count <= MavenMetadata.mostEntries else { throw Self.flaw("it has more than \(MavenMetadata.mostEntries) versions") }
    }

    mutating func finish(into outline: inout Outline) throws(FormatError) {
        do { try self.tokenizer.finish() } catch { throw FormatError(.upstreamFailed, "the upstream's metadata cannot be read", cause: error) }
        outline.add(Outline.Entry(section: MavenSection.document, name: "", bytes: 0..<self.length))
    }

    private static func flaw(_ what: String) -> FormatError { FormatError(.upstreamFailed, "the upstream's metadata cannot be taken: \(what)") }

    private mutating func take(_ event: XMLTokenizer.Event, _ outline: inout Outline) throws(FormatError) {
        switch event {
        case .start(let name):
            guard !self.path.isEmpty || name == "metadata" else { throw Self.flaw("its root is «\(name.prefix(40))» and not «metadata»") }
            self.path.append(name)
        case .end(let name, let text):
            self.end(name, text, &outline)
            self.path.removeLast()
        }
    }

    private static let read: Set<String> = ["classifier", "extension", "value", "prefix", "artifactId", "name", "timestamp", "buildNumber"]

    private mutating func end(_ name: String, _ text: String, _ outline: inout Outline) {
        switch self.path {
        case ["metadata", "versioning", "versions", "version"] where Self.isVersion(text): Self.add(MavenSection.versions, text, "", &outline)
        case ["metadata", "versioning", "lastUpdated"] where text.utf8.count == 14 && text.utf8.allSatisfy(Self.isDigit):
            Self.add(MavenSection.updated, "", text, &outline)
        case ["metadata", "versioning", "snapshot"]: self.endSnapshot(&outline)
        case ["metadata", "versioning", "snapshotVersions", "snapshotVersion"]: self.endSnapshotVersion(&outline)
        case ["metadata", "plugins", "plugin"]:
            if let prefix = self.fields["prefix"], let artifact = self.fields["artifactId"] {
                Self.add(MavenSection.plugins, prefix, [prefix, artifact, self.fields["name"] ?? ""].joined(separator: "\n"), &outline)
            }
            self.fields = [:]
        default: if self.path.count == 4 || self.path.count == 5, Self.read.contains(name) { self.fields[name] = text }
        }
    }

    /// What may be a folder's name.
    private static func isVersion(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 256 && text != "." && text != ".." && !text.utf8.contains { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "/") }
    }

    /// Its value is the whole version: `1.0-20261128.010203-4`.
    private mutating func endSnapshotVersion(_ outline: inout Outline) {
        defer { self.fields = [:] }
        guard let value = self.fields["value"], let kind = self.fields["extension"], let build = Self.build(of: value) else { return }
        Self.add(MavenSection.files, "\(self.fields["classifier"] ?? ""):\(kind)", build, &outline)
    }

    /// The newest build of all, and in metadata of Maven 2 all that is said.
    private mutating func endSnapshot(_ outline: inout Outline) {
        defer { self.fields = [:] }
        guard let stamp = self.fields["timestamp"], let number = self.fields["buildNumber"], let build = Self.build(of: "0-\(stamp)-\(number)") else { return }
        Self.add(MavenSection.newest, "", build, &outline)
    }

    /// `20261128.010203-4`, the end of a version.
    static func build(of version: String) -> String? {
        let parts = version.split(separator: "-")
        guard parts.count >= 3, let stamp = parts.dropLast().last, let number = parts.last, Int32(number).map({ $0 >= 0 }) ?? false else { return nil }
        let isMoment =
            stamp.utf8.count == 15 && stamp.utf8.enumerated().allSatisfy { $0.offset == 8 ? $0.element == UInt8(ascii: ".") : Self.isDigit($0.element) }
        return isMoment ? "\(stamp)-\(number)" : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func add(_ section: String, _ name: String, _ value: String, _ outline: inout Outline) {
        outline.add(Outline.Entry(section: section, name: name, sortKey: Array(value.utf8), bytes: 0..<0))
    }
}
