import ArtifactModel
import FormatAPI
import StorageAPI
import Synchronization

/// Derived documents: what is remembered of them on this node, and the one place where they are made.
public final class Documents: Sendable {
    /// What a document's source was read to hold, which never changes for the key.
    private struct OutlineKey: Hashable, Sendable {
        var part: DocumentStamp.Part.Version
        /// nil: of bytes, which are the same in every repository.
        var repository: RepositoryID?
        var document: DocumentID
        var revision: Int

        /// Where it is kept.
        var place: OutlineKey {
            var key = self
            if case .generation = self.part { key.part = .generation(0) }
            return key
        }
    }
    struct Flight: Hashable, Sendable {
        var key: RenderingShelf.Key
        var stamp: DocumentStamp
    }

    let shelf: Mutex<RenderingShelf>
    /// Of a hosted repository's document the newest alone: the older ones are asked for no more.
    private struct KeptOutline: Sendable {
        var version: DocumentStamp.Part.Version
        var rows: FragmentContent.Rows
    }
    private let outlines = Mutex(LeastRecentlyUsed<OutlineKey, KeptOutline>(capacity: 64 << 20))
    private let renderings = SharedWork<Flight, Rendering?>()
    let compressing = SharedWork<Flight, Rendering>()
    private let scanning = SharedWork<OutlineKey, FragmentContent.Rows>()
    let scratch: ScratchFolder
    /// How many were rendered.
    private let made = Mutex(0)

    /// - Parameter scratch: for documents that are too large for memory.
    public init(scratch: ScratchFolder) {
        self.scratch = scratch
        self.shelf = Mutex(RenderingShelf())
    }

    var rendered: Int { self.made.withLock { $0 } }

    // MARK: Outlines

    /// What a part of a document holds, found out once.
    func outline<Document: DerivedDocument>(
        _ type: Document.Type, _ key: Document.Key, _ part: DocumentStamp.Part, start: (@escaping @Sendable () async -> Void) -> Bool,
        _ read: @escaping @Sendable () async throws -> FragmentContent.Rows
    ) async throws -> FragmentContent.Rows {
        let key = Self.outlineKey(type, key, part)
        if let kept = self.outlines.withLock({ $0.value(of: key.place) }), kept.version == part.version { return kept.rows }
        return try await self.scanning.value(key, start: start) {
            let rows = try await read()
            self.keep(rows, key)
            return rows
        }
    }

    /// Of bytes that are about to be kept.
    func remember<Document: DerivedDocument>(_ outline: Outline, _ type: Document.Type, _ key: Document.Key, of part: DocumentStamp.Part) {
        self.keep(FragmentContent.Rows(outline: outline), Self.outlineKey(type, key, part))
    }

    private func keep(_ rows: FragmentContent.Rows, _ key: OutlineKey) {
        let cost = rows.outline.cost + 16 * rows.numbers.count
        self.outlines.withLock { $0.insert(KeptOutline(version: key.part, rows: rows), for: key.place, cost: cost) }
    }

    private static func outlineKey<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ part: DocumentStamp.Part) -> OutlineKey {
        var repository: RepositoryID?
        if case .generation = part.version { repository = part.repository }
        return OutlineKey(part: part.version, repository: repository, document: Document.identifier(key), revision: Document.revision)
    }

    // MARK: Renderings

    /// What was asked for, and of whom.
    struct Order<Document: DerivedDocument>: Sendable {
        var key: Document.Key
        var repository: Repository
        var context: RequestContext
        /// Whether an entry may be shown of this member.
        var isShown: (@Sendable (RepositoryName, Outline.Entry) -> Bool)?
    }

    /// - Parameter parts: gathers what there is; called again where that has changed while it was read.
    func content<Document: DerivedDocument>(
        _ order: Order<Document>, start: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Bool,
        _ parts: () async throws -> Gathered<DocumentPart>
    ) async throws -> Content? {
        guard order.context.publicBase.utf8.allSatisfy(Self.isPlain) else {
            throw FormatError(.invalidRequest, "the address that this was asked for cannot stand in a document: check the Host header")
        }
        let seen = Self.seen(order)
        for _ in 0..<5 {
            let gathered = try await parts()
            if gathered.parts.isEmpty {
                if let trouble = gathered.trouble { throw trouble }
                if !Document.existsEmpty(order.key) { return nil }
            }
            if let trace = order.context.notes.trace { return Self.dry(order, gathered, trace) }
            do {
                if let seen {
                    // Another one for each set of rights, and so kept for nobody.
                    guard let rendering = try await self.render(seen, gathered.parts) else { return nil }
                    return Self.content(rendering, seen, gathered)
                }
                let flight = Self.flight(order, gathered)
                guard let rendering = try await self.rendering(order, gathered, flight, start) else {
                    if let trouble = gathered.trouble { throw trouble }
                    return nil
                }
                var content = Self.content(rendering, order, gathered)
                content.gzip = self.gzip(of: rendering, flight, on: order.context.compute, start)
                return content
            } catch is DocumentChanged {
                continue
            }
        }
        throw FormatError(.unavailable, "this document changes faster than it can be read; try again", retryAfter: .seconds(1))
    }

    /// The order of who may read some packages of a document that is about several, and sees these in it; nil: whoever asks sees all of it.
    private static func seen<Document: DerivedDocument>(_ order: Order<Document>) -> Order<Document>? {
        let isAllowed = order.context.isAllowed
        guard Document.name(order.key) == nil, !isAllowed(Access(.read)) else { return nil }
        var seen = order
        seen.isShown = { [isShown = order.isShown, key = order.key] member, entry in
            guard isShown?(member, entry) ?? true else { return false }
            return Document.subject(of: entry, key).map { isAllowed(Access(.read, path: $0)) } ?? true
        }
        return seen
    }

    /// A dry run makes nothing.
    private static func dry<Document: DerivedDocument>(_ order: Order<Document>, _ gathered: Gathered<DocumentPart>, _ trace: DecisionTrace) -> Content {
        let members = gathered.parts.map(\.member.text).joined(separator: ", ")
        trace.add(order.repository.name, Document.identifier(order.key).text, "composed of what these have: \(members)")
        let head = ContentHead(digests: [], size: nil, contentType: Document.contentType(order.key), entityTag: "", change: .mutable)
        var content = Content(
            head: head, member: order.repository.name, cache: gathered.parts.compactMap(\.cache).max { $0.weight < $1.weight }, source: NoContent(length: nil))
        content.skippedMembers = gathered.skippedMembers
        return content
    }

    /// What needs no escaping in JSON, XML, YAML and HTML: an address comes from a header.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "%"),
            UInt8(ascii: "["), UInt8(ascii: "]"):
            true
        default: false
        }
    }

    private static func flight<Document: DerivedDocument>(_ order: Order<Document>, _ gathered: Gathered<DocumentPart>) -> Flight {
        let stamp = DocumentStamp(revision: Document.revision, parts: gathered.parts.map(\.stamp))
        let place = RenderingShelf.Place(repository: order.repository.id, document: Document.identifier(order.key))
        return Flight(
            key: RenderingShelf.Key(
                place: place, publicBase: order.context.publicBase, isPartial: !gathered.skippedMembers.isEmpty,
                variant: Document.variant(order.key)), stamp: stamp)
    }

    private func rendering<Document: DerivedDocument>(
        _ order: Order<Document>, _ gathered: Gathered<DocumentPart>, _ flight: Flight,
        _ start: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Bool
    ) async throws -> Rendering? {
        let (key, stamp) = (flight.key, flight.stamp)
        if let kept = self.shelf.withLock({ $0.rendering(key, stamp) }) { return kept }
        return try await self.renderings.value(flight, start: start) {
            // Made between the look and now.
            if let kept = self.shelf.withLock({ $0.rendering(key, stamp) }) { return kept }
            let rendering = try await self.render(order, gathered.parts)
            self.shelf.withLock { $0.keep(rendering, key, stamp) }
            return rendering
        }
    }

    /// nil: nobody has anything to say in it.
    private func render<Document: DerivedDocument>(_ order: Order<Document>, _ parts: [DocumentPart]) async throws -> Rendering? {
        let sources = try await self.sources(order, parts)
        guard Document.existsEmpty(order.key) || sources.contains(where: { !$0.outline.entries.isEmpty }) else { return nil }
        let plan = try await order.context.compute.run {
            var plan = DocumentPlan()
            try Document.compose(sources.map(\.outline), order.key, into: &plan)
            return plan
        }
        self.made.withLock { $0 += 1 }
        return try await DocumentRenderer.render(
            plan, of: sources.map(\.bytes), base: order.context.publicBase, computing: Document.computing, compute: order.context.compute, scratch: self.scratch
        )
    }

    /// All at once, in the order of the parts.
    private func sources<Document: DerivedDocument>(_ order: Order<Document>, _ parts: [DocumentPart]) async throws -> [DocumentSource] {
        try await withThrowingTaskGroup(of: (Int, DocumentSource).self) { group in
            for (place, part) in parts.enumerated() {
                group.addTask {
                    var source = try await part.read()
                    if let isShown = order.isShown {
                        let outline = source.outline
                        source.outline = try await order.context.compute.run { outline.filter { isShown(part.member, $0) } }
                    }
                    return (place, source)
                }
            }
            var sources: [(Int, DocumentSource)] = []
            for try await source in group { sources.append(source) }
            return sources.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private static func content<Document: DerivedDocument>(
        _ rendering: Rendering, _ order: Order<Document>, _ gathered: Gathered<DocumentPart>
    ) -> Content {
        let head = ContentHead(
            digests: rendering.digests, size: rendering.size, contentType: Document.contentType(order.key), entityTag: "\"\(rendering.digests[0])\"",
            change: .mutable)
        var content = Content(
            head: head, member: order.repository.name, cache: gathered.parts.compactMap(\.cache).max { $0.weight < $1.weight }, source: rendering.bytes)
        content.skippedMembers = gathered.skippedMembers
        return content
    }
}

extension CacheReport {
    /// Of several, the one that says most about the answer.
    fileprivate var weight: Int {
        switch self.outcome {
        case .hit: 0
        case .negative: 1
        case .revalidated: 2
        case .miss: 3
        case .stale: 4
        }
    }
}
