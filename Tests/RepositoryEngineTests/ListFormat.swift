import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore

/// Packages with versions, each a line `version digest url`: the least that has a document. `PUT /<package>/<version>` publishes, `GET /<package>` is
/// the document, `GET /` the one of all packages, `GET /<package>/<version>` says what a version's line says at its origin.
struct ListFormat: RepositoryFormat {
    struct Operation: FormatOperation {
        var method: HTTPRequest.Method
        var path: [String]
        var name: StaticString { "list" }
        var accesses: [Access] { [Access(self.method == .put ? .write : .read, path: self.path.joined(separator: "/"))] }
    }
    static let id = "list"

    static func name(at path: AssetPath) -> String { String(path.text.prefix { $0 != "/" }) }

    func parse(_ head: RequestHead) throws(FormatError) -> Operation { Operation(method: head.method, path: head.path.filter { !$0.isEmpty }) }

    func respond(to operation: Operation, _ request: ArtifactRequest, in content: any RepositoryContent, _ settings: NoSettings) async throws
        -> ArtifactResponse
    {
        let path = operation.path
        switch (operation.method, path.count) {
        case (.put, 2):
            let blob = try await content.stage(request.body, StageDemand())
            try await content.commit(Edit([.put(try Self.component(path[0], path[1], blob))]))
            return ArtifactResponse(.created)
        case (.delete, 2):
            try await content.commit(Edit([.remove(Coordinates(package: PackageName(namespace: "", name: path[0]), version: path[1]))]))
            return ArtifactResponse(.noContent)
        case (.put, 3):
            try await content.commit(
                Edit(
                    [.point(PointerName(package: PackageName(namespace: "", name: path[0]), kind: "tag", name: path[1]), to: path[2], .always)],
                    touching: [VersionList.identifier(path[0])]))
            return ArtifactResponse(.created)
        case (_, 2):
            guard let entry = try await content.entry(VersionList.self, path[0], section: "versions", name: path[1]) else {
                throw FormatError(.notFound, "no such version")
            }
            return ArtifactResponse(.ok, body: .bytes(ByteBuffer(string: "\(entry.member) \(entry.originals.joined())")))
        default:
            guard let document = try await content.document(VersionList.self, path.first ?? "") else { throw FormatError(.notFound, "no such list") }
            return ArtifactResponse(.ok, body: .content(document)).repeatable
        }
    }

    /// Of the list of its package, and of the list of all.
    static func component(_ package: String, _ version: String, _ blob: StagedBlob) throws -> Component {
        let asset = NewAsset(try AssetPath([package, version]), blob, contentType: "text/plain")
        let line = "\(version) \(blob.digests[0].hex.prefix(8)) "
        let slot = DocumentSlot(Int64(line.utf8.count)..<Int64(line.utf8.count + 1), path: "\(package)/\(version)")
        let fragments = [(package, version), ("", "\(package)-\(version)")].map { key, name in
            Fragment(of: VersionList.identifier(key), section: "versions", name: name, bytes: Array("\(line)?".utf8), slots: [slot])
        }
        return Component(Coordinates(package: PackageName(namespace: "", name: package), version: version), assets: [asset], fragments: fragments)
    }

    func render(_ failure: Failure, for head: RequestHead) -> ArtifactResponse {
        let status: HTTPResponse.Status =
            switch failure.error.code {
            case .notFound: .notFound
            case .upstreamFailed, .upstreamUnreachable: .badGateway
            case .unavailable: .serviceUnavailable
            default: .badRequest
            }
        return ArtifactResponse(status, body: .bytes(ByteBuffer(string: failure.error.message)))
    }
}

/// The lines of a package, or of all where the key is empty; in the order of the members, each version once.
enum VersionList: DerivedDocument {
    static let revision = 1
    static func identifier(_ key: String) -> DocumentID { DocumentID("list", key) }
    static func contentType(_ key: String) -> String { "text/plain" }
    static func name(_ key: String) -> String? { key.isEmpty ? nil : key }
    static func name(of entry: Outline.Entry, _ key: String) -> String? { String(entry.name.prefix { $0 != "-" }) }
    static func existsEmpty(_ key: String) -> Bool { key.isEmpty }
    static func pointers(_ key: String) -> (package: PackageName, kind: String)? {
        key.isEmpty ? nil : (PackageName(namespace: "", name: key), "tag")
    }
    static func path(_ key: String) throws -> AssetPath { try AssetPath(["lists", key.isEmpty ? "all" : key]) }
    /// `p` and `p.brief` are one list to the upstream.
    static func forms(_ key: String) -> [String] { key.isEmpty ? [] : [key.hasSuffix(".brief") ? String(key.dropLast(6)) : key + ".brief"] }
    static func upstream(_ key: String) -> UpstreamResource { UpstreamResource(.below(key)) }
    static func scanner(_ key: String) -> LineScanner { LineScanner() }

    static func compose(_ sources: [Outline], _ key: String, into plan: inout DocumentPlan) throws(FormatError) {
        plan.write("list \(key)\n")
        var taken: Set<String> = []
        for (source, outline) in sources.enumerated() {
            for entry in outline.entries where taken.insert("\(entry.section)/\(entry.name)").inserted {
                if entry.section == Outline.pointers {
                    plan.write("\(entry.name)=")
                    plan.write(entry.sortKey)
                } else {
                    plan.copy(entry, from: source)
                }
                plan.write("\n")
            }
        }
    }
}

/// Lines of an upstream, cut anywhere; `version digest url`, of which the URL is a slot.
struct LineScanner: OutlineScanner {
    private var line: [UInt8] = []
    private var start: Int64 = 0

    mutating func feed(_ chunk: ByteBuffer, at offset: Int64, into outline: inout Outline) throws(FormatError) {
        for (place, byte) in chunk.readableBytesView.enumerated() {
            if byte != UInt8(ascii: "\n") {
                self.line.append(byte)
                continue
            }
            try self.end(into: &outline)
            self.start = offset + Int64(place) + 1
        }
    }

    mutating func finish(into outline: inout Outline) throws(FormatError) {
        if !self.line.isEmpty { throw FormatError(.invalidRequest, "the list breaks off") }
    }

    private mutating func end(into outline: inout Outline) throws(FormatError) {
        let words = self.line.split(separator: UInt8(ascii: " "))
        guard words.count == 3, let url = words.last else { throw FormatError(.invalidRequest, "this is no list") }
        let end = self.start + Int64(self.line.count)
        let version = String(decoding: words[0], as: UTF8.self)
        let slot = DocumentSlot(end - Int64(url.count)..<end, path: "p/\(version)")
        outline.add(Outline.Entry(section: "versions", name: version, bytes: self.start..<end, slots: [slot]))
        self.line = []
    }
}
