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

    private mutating func end(_ name: String, _ text: String, _ outline: inout Outline) {
        switch self.path {
        case ["metadata", "versioning", "versions", "version"] where !text.isEmpty: Self.add(MavenSection.versions, text, "", &outline)
        case ["metadata", "versioning", "lastUpdated"]: Self.add(MavenSection.updated, "", text, &outline)
        case ["metadata", "versioning", "snapshotVersions", "snapshotVersion"]: self.endSnapshotVersion(&outline)
        case ["metadata", "plugins", "plugin"]:
            if let prefix = self.fields["prefix"], let artifact = self.fields["artifactId"] {
                Self.add(MavenSection.plugins, prefix, [prefix, artifact, self.fields["name"] ?? ""].joined(separator: "\n"), &outline)
            }
            self.fields = [:]
        default: if self.path.count == 4 || self.path.count == 5 { self.fields[name] = text }
        }
    }

    /// Its value is the whole version: `1.0-20261128.010203-4`.
    private mutating func endSnapshotVersion(_ outline: inout Outline) {
        defer { self.fields = [:] }
        guard let value = self.fields["value"], let kind = self.fields["extension"], let build = Self.build(of: value) else { return }
        Self.add(MavenSection.files, "\(self.fields["classifier"] ?? ""):\(kind)", build, &outline)
    }

    /// `20261128.010203-4`, the end of a version.
    static func build(of version: String) -> String? {
        let parts = version.split(separator: "-")
        guard parts.count >= 3, let stamp = parts.dropLast().last, let number = parts.last, stamp.utf8.count == 15, Int(number) != nil else { return nil }
        return "\(stamp)-\(number)"
    }

    private static func add(_ section: String, _ name: String, _ value: String, _ outline: inout Outline) {
        outline.add(Outline.Entry(section: section, name: name, sortKey: Array(value.utf8), bytes: 0..<0))
    }
}
