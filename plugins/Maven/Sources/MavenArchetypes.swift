import ArtifactModel
import FormatAPI
import NIOCore

/// `archetype-catalog.xml` at the root: what `mvn archetype:generate` lets people choose from.
/// <https://maven.apache.org/archetype/archetype-models/archetype-catalog/archetype-catalog.html>
///
/// One section: `archetypes`, named by `group:artifact:version`; of an upstream's also `document` (all of it).
enum MavenArchetypes: DerivedDocument {
    /// There is one in each repository.
    struct Key: Hashable, Sendable {}

    static let revision = 1
    static let computing = MavenMetadata.computing
    static let section = "archetypes"
    /// In bytes.
    static let largest: Int64 = 64 << 20

    static func identifier(_ key: Key) -> DocumentID { DocumentID("maven.archetypes") }
    static func contentType(_ key: Key) -> String { "text/xml" }
    static func name(_ key: Key) -> String? { nil }
    static func name(of entry: Outline.Entry, _ key: Key) -> String? {
        let words = entry.name.split(separator: ":", omittingEmptySubsequences: false)
        return words.count == 3 ? "\(words[0]).\(words[1])" : nil
    }
    static func subject(of entry: Outline.Entry, _ key: Key) -> String? { self.name(of: entry, key)?.replacing(".", with: "/") }
    static func existsEmpty(_ key: Key) -> Bool { true }
    static func path(_ key: Key) throws -> AssetPath { AssetPath(checked: MavenPath.archetypesFile) }
    static func upstream(_ key: Key) -> UpstreamResource {
        UpstreamResource(.below(MavenPath.archetypesFile), accept: ["text/xml", "application/xml", "*/*;q=0.5"], mayBeCompressed: true)
    }
    static func scanner(_ key: Key) -> ArchetypeScanner { ArchetypeScanner() }
    static let goesOnWithoutBroken = true
    /// Archetypes in a catalog: it is composed in memory.
    static let most = 500_000

    /// - Parameter description: empty: none.
    static func entry(_ group: String, _ artifact: String, _ version: String, _ description: String) -> (name: String, sortKey: [UInt8]) {
        let words = [group, artifact, version, description].map { $0.replacing("\n", with: " ") }
        return ("\(group):\(artifact):\(version)", Array(words.joined(separator: "\n").utf8))
    }

    static func compose(_ sources: [Outline], _ key: Key, into plan: inout DocumentPlan) throws(FormatError) {
        let all = sources.enumerated().filter { !$1.entries.isEmpty }
        // As it came, where none of it is somebody else's, or twice in it.
        if all.count == 1, let document = all[0].element.entry(MavenSection.document, ""), document.sortKey == Self.count(all[0].element.entries.count - 1) {
            return plan.copy(document.bytes, from: all[0].offset)
        }
        plan.write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<archetype-catalog>\n  <archetypes>\n")
        var taken: Set<String> = []
        for (_, outline) in all {
            for entry in outline.entries where entry.section == self.section && taken.insert(entry.name).inserted { self.write(entry, to: &plan) }
        }
        plan.write("  </archetypes>\n</archetype-catalog>\n")
    }

    /// Of the archetypes in a document.
    static func count(_ archetypes: Int) -> [UInt8] { Array(String(archetypes).utf8) }

    private static func write(_ entry: Outline.Entry, to plan: inout DocumentPlan) {
        let values = String(decoding: entry.sortKey, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        plan.write("    <archetype>\n")
        for (name, value) in zip(["groupId", "artifactId", "version", "description"], values) where !value.isEmpty {
            plan.write("      <\(name)>\(Markup.escaped(String(value)))</\(name)>\n")
        }
        plan.write("    </archetype>\n")
    }
}

/// Finds what an upstream's catalog offers.
struct ArchetypeScanner: OutlineScanner {
    private var tokenizer = XMLTokenizer()
    private var path: [String] = []
    private var fields: [String: String] = [:]
    private var length: Int64 = 0

    mutating func feed(_ chunk: ByteBuffer, at offset: Int64, into outline: inout Outline) throws(FormatError) {
        self.length = offset + Int64(chunk.readableBytes)
        guard self.length <= MavenArchetypes.largest else { throw Self.flaw(nil) }
        var events: [XMLTokenizer.Event] = []
        do { try self.tokenizer.feed(chunk.readableBytesView) { (event) throws(FormatError) in events.append(event) } } catch { throw Self.flaw(error) }
        for event in events { try self.take(event, &outline) }
        guard outline.entries.count <= MavenArchetypes.most else { throw Self.flaw(nil) }
    }

    mutating func finish(into outline: inout Outline) throws(FormatError) {
        do { try self.tokenizer.finish() } catch { throw Self.flaw(error) }
        outline.add(
            Outline.Entry(section: MavenSection.document, name: "", sortKey: MavenArchetypes.count(outline.entries.count), bytes: 0..<self.length))
    }

    private static func flaw(_ cause: FormatError?) -> FormatError {
        FormatError(.upstreamFailed, "the upstream's catalog of archetypes cannot be read", cause: cause)
    }

    private mutating func take(_ event: XMLTokenizer.Event, _ outline: inout Outline) throws(FormatError) {
        switch event {
        case .start(let name):
            guard !self.path.isEmpty || name == "archetype-catalog" else { throw Self.flaw(nil) }
            self.path.append(name)
        case .end(let name, let text):
            defer { self.path.removeLast() }
            guard self.path.count >= 3, self.path[1] == "archetypes", self.path[2] == "archetype" else { return }
            guard self.path.count == 3 else {
                self.fields[name] = text
                return
            }
            defer { self.fields = [:] }
            guard let group = self.fields["groupId"], let artifact = self.fields["artifactId"], let version = self.fields["version"] else { return }
            let (name, sortKey) = MavenArchetypes.entry(group, artifact, version, self.fields["description"] ?? "")
            outline.add(Outline.Entry(section: MavenArchetypes.section, name: name, sortKey: sortKey, bytes: 0..<0))
        }
    }
}
