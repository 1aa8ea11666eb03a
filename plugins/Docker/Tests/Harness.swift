import ArtifactModel
import Crypto
import FormatAPI
import NIOCore
import Synchronization
import Testing

/// What these tests run on; the one place to swap it.
func makeContent(policy: WritePolicy = .allow, repository: String = "local") async throws -> any RepositoryContent {
    PlainContent(
        context: RequestContext(repository: try RepositoryName(repository), principal: "", requestID: "1", compute: InlinePool()), policy: policy)
}

func body(_ text: String, declared: Bool = true) -> ByteStream {
    let rest = Mutex<ByteBuffer?>(text.isEmpty ? nil : ByteBuffer(string: text))
    return ByteStream(length: declared ? Int64(text.utf8.count) : nil) {
        rest.withLock { buffer in
            defer { buffer = nil }
            return buffer
        }
    }
}

func digest(_ text: String, _ algorithm: ContentDigest.Algorithm = .sha256) throws -> ContentDigest {
    try #require(hashed(ByteBuffer(string: text), algorithm))
}

private func hashed(_ bytes: ByteBuffer, _ algorithm: ContentDigest.Algorithm) -> ContentDigest? {
    func hash<H: HashFunction>(by type: H.Type) -> ContentDigest? {
        var function = type.init()
        bytes.withUnsafeReadableBytes { function.update(bufferPointer: $0) }
        return ContentDigest(algorithm, function.finalize())
    }
    return switch algorithm {
    case .sha256: hash(by: SHA256.self)
    case .sha512: hash(by: SHA512.self)
    case .sha1: hash(by: Insecure.SHA1.self)
    case .md5: hash(by: Insecure.MD5.self)
    }
}

private struct InlinePool: BlockingPool {
    func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T { try work() }
}

/// A hosted repository's rules over dictionaries.
private final class PlainContent: RepositoryContent {
    struct Kept {
        var blob: StagedBlob
        var contentType: String
        var owner: Coordinates?
    }
    struct State {
        var assets: [String: Kept] = [:]
        var components: [Coordinates: Component] = [:]
        var packages: Set<PackageName> = []
        var pointers: [PointerName: String] = [:]
        var sessions: [String: (scope: String, bytes: ByteBuffer)] = [:]
    }
    let context: RequestContext
    private let policy: WritePolicy
    private let state = Mutex(State())
    private let time = Timestamp(milliseconds: 1_763_930_000_000)

    init(context: RequestContext, policy: WritePolicy) {
        self.context = context
        self.policy = policy
    }

    func content(_ want: ContentRequest) async throws -> Content? {
        self.state.withLock { $0.assets[want.path.text] }.map { kept in
            let head = ContentHead(
                digests: kept.blob.digests, size: kept.blob.size, contentType: kept.contentType, entityTag: "\"\(kept.blob.digests[0])\"",
                lastModified: self.time, change: want.change)
            return Content(head: head, member: self.context.repository, source: kept.blob.source)
        }
    }

    func resolve(_ name: PointerName) async throws -> Pointer? {
        self.state.withLock { $0.pointers[name] }.map { Pointer(target: $0, member: self.context.repository) }
    }

    func list(_ query: ContentQuery) async throws -> ContentPage {
        let all = self.state.withLock { self.rows(query.subject, $0) }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let rest = all.filter { row in query.after.map { $0.utf8.lexicographicallyPrecedes(row.name.utf8) } ?? true }
        return ContentPage(rows: Array(rest.prefix(query.limit)), more: rest.count > query.limit)
    }

    private func rows(_ subject: ContentQuery.Subject, _ state: State) -> [ContentRow] {
        switch subject {
        case .packages: state.packages.map { ContentRow(name: $0.name, updated: self.time) }
        case .package(let name): state.packages.contains(name) ? [ContentRow(name: name.name, updated: self.time)] : []
        case .components(let package): state.components.values.filter { $0.coordinates.package == package }.map { self.row($0, "") }
        case .pointers(let package, let kind):
            state.pointers.filter { $0.key.package == package && $0.key.kind == kind }.map {
                ContentRow(name: $0.key.name, target: $0.value, updated: self.time)
            }
        case .edges(let target, let package, let kind, let type):
            state.components.values.filter { $0.coordinates.package == package }.compactMap { component in
                let edge = component.edges.first { $0.kind == kind && $0.target == target && (type == nil || $0.artifactType == type) }
                return edge.map { self.row(component, $0.artifactType) }
            }
        case .folder(let folder): self.entries(of: folder.map { $0.text + "/" } ?? "", state)
        }
    }

    private func entries(of prefix: String, _ state: State) -> [ContentRow] {
        var folders: Set<String> = []
        var rows: [ContentRow] = []
        for (path, kept) in state.assets where path.hasPrefix(prefix) {
            let rest = path.dropFirst(prefix.count).split(separator: "/", maxSplits: 1)
            if rest.count == 2 {
                if folders.insert(String(rest[0])).inserted { rows.append(ContentRow(name: String(rest[0]), updated: self.time)) }
            } else {
                rows.append(
                    ContentRow(name: String(rest[0]), contentType: kept.contentType, size: kept.blob.size, digest: kept.blob.digests[0], updated: self.time))
            }
        }
        return rows
    }

    private func row(_ component: Component, _ type: String) -> ContentRow {
        let asset = component.assets.first
        return ContentRow(
            name: component.coordinates.version, attributes: component.attributes, artifactType: type, contentType: asset?.contentType ?? "",
            size: asset?.blob.size ?? 0, digest: asset?.blob.digests.first, updated: self.time)
    }

    func stage(_ body: ByteStream, _ demand: StageDemand) async throws -> StagedBlob {
        try self.keep(try await body.collect(upTo: 1 << 26) ?? ByteBuffer(), demand.expecting, demand.computing)
    }

    fileprivate func keep(_ bytes: ByteBuffer, _ expecting: [ContentDigest], _ computing: Set<ContentDigest.Algorithm>) throws -> StagedBlob {
        for expected in expecting where hashed(bytes, expected.algorithm) != expected { throw FormatError(.digestMismatch, "other bytes") }
        let others = computing.union(expecting.map(\.algorithm)).subtracting([.sha256])
        return StagedBlob(
            digests: ([.sha256] + others).compactMap { hashed(bytes, $0) }, size: Int64(bytes.readableBytes), heldUntil: self.time,
            source: MemoryContent(bytes))
    }

    func uploads(in scope: String) -> any UploadSessions { PlainUploads(content: self, scope: scope) }

    fileprivate func sessions<T: Sendable>(_ work: (inout [String: (scope: String, bytes: ByteBuffer)]) throws -> T) rethrows -> T {
        try self.state.withLock { state in try work(&state.sessions) }
    }

    func commit(_ edit: Edit) async throws {
        if self.policy == .deny { throw FormatError(.readOnly, "no writes") }
        try self.state.withLock { state in
            var next = state
            for (index, requirement) in edit.requirements.enumerated() where !Self.holds(requirement, next) { throw Edit.Refused.requirement(index) }
            for (index, change) in edit.changes.enumerated() { try self.apply(change, index, &next) }
            state = next
        }
    }

    private static func holds(_ requirement: Edit.Requirement, _ state: State) -> Bool {
        switch requirement {
        case .absent(let coordinates): state.components[coordinates] == nil
        case .present(let all): all.allSatisfy { state.components[$0] != nil }
        case .linked(let paths): paths.allSatisfy { state.assets[$0.text] != nil }
        case .asset(let path, let among): among.contains(state.assets[path.text]?.blob.digests[0])
        case .pointer(let name, let among): among.contains(state.pointers[name])
        }
    }

    private func apply(_ change: Edit.Change, _ index: Int, _ state: inout State) throws {
        switch change {
        case .put(let component):
            for asset in component.assets {
                state.assets[asset.path.text] = Kept(blob: asset.blob, contentType: asset.contentType, owner: component.coordinates)
            }
            state.components[component.coordinates] = component
            state.packages.insert(component.coordinates.package)
        case .remove(let coordinates):
            guard state.components.removeValue(forKey: coordinates) != nil else { throw Edit.Refused.missing(index) }
            state.assets = state.assets.filter { $0.value.owner != coordinates }
            state.pointers = state.pointers.filter { $0.key.package != coordinates.package || $0.value != coordinates.version }
        case .setPackage(let name, _): state.packages.insert(name)
        case .putAsset(let asset, let redeploy):
            let kept = state.assets[asset.path.text]
            if let kept, kept.blob.digests[0] != asset.blob.digests[0], redeploy == .byPolicy, self.policy == .allowOnce { throw Edit.Refused.policy(index) }
            state.assets[asset.path.text] = Kept(blob: asset.blob, contentType: asset.contentType)
        case .removeAsset(let path):
            guard state.assets.removeValue(forKey: path.text) != nil else { throw Edit.Refused.missing(index) }
        case .link(let path, let repository, let source):
            guard repository == self.context.repository, let kept = state.assets[source.text] else { throw Edit.Refused.link(index) }
            state.assets[path.text] = kept
        case .point(let name, let target, let redeploy):
            let kept = state.pointers[name]
            if let kept, kept != target, redeploy == .byPolicy, self.policy == .allowOnce { throw Edit.Refused.policy(index) }
            state.pointers[name] = target
        case .unpoint(let name):
            guard state.pointers.removeValue(forKey: name) != nil else { throw Edit.Refused.missing(index) }
        }
    }
}

private struct PlainUploads: UploadSessions {
    let content: PlainContent
    let scope: String

    func begin() async throws -> String {
        let session = String((0..<32).map { _ in "0123456789abcdef".randomElement() ?? "0" })
        self.content.sessions { $0[session] = (self.scope, ByteBuffer()) }
        return session
    }

    func length(of session: String) async throws -> Int64? {
        self.content.sessions { $0[session].flatMap { $0.scope == self.scope ? Int64($0.bytes.readableBytes) : nil } }
    }

    func append(_ body: ByteStream, to session: String, at offset: Int64?, exactly: Int64?) async throws -> Int64 {
        var chunk = try await body.collect(upTo: 1 << 26) ?? ByteBuffer()
        guard let length = try await self.length(of: session) else { throw FormatError(.notFound, "no session") }
        guard offset == nil || offset == length else { throw FormatError(.wrongRange, "not the end") }
        guard exactly == nil || exactly == Int64(chunk.readableBytes) else { throw FormatError(.invalidRequest, "another length") }
        let count = Int64(chunk.readableBytes)
        let bytes = chunk.readBytes(length: chunk.readableBytes) ?? []
        self.content.sessions { sessions in _ = sessions[session]?.bytes.writeBytes(bytes) }
        return length + count
    }

    func finish(_ session: String, expecting digest: ContentDigest) async throws -> StagedBlob {
        guard try await self.length(of: session) != nil, let bytes = self.content.sessions({ $0.removeValue(forKey: session)?.bytes }) else {
            throw FormatError(.notFound, "no session")
        }
        return try self.content.keep(bytes, [digest], [digest.algorithm])
    }

    func cancel(_ session: String) async throws {
        guard try await self.length(of: session) != nil else { throw FormatError(.notFound, "no session") }
        self.content.sessions { _ = $0.removeValue(forKey: session) }
    }
}
