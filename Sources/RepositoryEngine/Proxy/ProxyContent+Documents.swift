import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import StorageAPI
import Synchronization

/// The upstream's documents: kept as they came, whole before anything is made of them.
extension ProxyContent: DocumentHolder {
    func part<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> DocumentPart? {
        let key = try await self.form(type, key, demand)
        let want = try self.want(type, key)
        // By the address that the upstream has it at: where it is kept is nobody's to name.
        guard want.upstream?.asked.map({ self.repository.allows($0) }) ?? true, let part = try await self.part(type, key, want) else { return nil }
        guard case .containing(let section, let name) = demand, self.context.notes.trace == nil else { return part }
        guard try await part.read().outline.entry(section, name) == nil else { return part }
        var newer = want
        // Older than none. Many who ask at one time share the question, and an upstream where nothing is new says so in a few bytes.
        newer.maxAge = .nanoseconds(-1)
        return try await self.part(type, key, newer)
    }

    func heldPart<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key) async throws -> DocumentPart? {
        guard self.context.notes.trace == nil else { return nil }
        let key = try await self.form(type, key, .containing(section: "", name: ""))
        var want = try self.want(type, key)
        guard want.upstream?.asked.map({ self.repository.allows($0) }) ?? true else { return nil }
        want.upstream = nil
        return try await self.part(type, key, want)
    }

    /// Of a document that has several, for an entry: the one that is kept, where the one asked for is not.
    private func form<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> Document.Key {
        guard case .containing = demand else { return key }
        for form in [key] + Document.forms(key) where try await self.maker.metadata.asset(at: try Document.path(form), in: self.repository.id) != nil {
            return form
        }
        return key
    }

    private func part<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ want: ContentRequest) async throws -> DocumentPart? {
        // Most of those who ask are answered from what was made before: the upstream's bytes are opened where they are read.
        var late = self
        late.opensLate = true
        guard let found = try await late.whole(want), let digest = found.head.digests.first(.sha256) ?? self.unknown else { return nil }
        let stamp = DocumentStamp.Part(repository: self.repository.id, version: .bytes(digest))
        let (maker, compute) = (self.maker, self.context.compute)
        return DocumentPart(stamp: stamp, member: self.repository.name, cache: found.cache) {
            let rows = try await maker.documents.outline(type, key, stamp, start: maker.fills.start) {
                FragmentContent.Rows(outline: try await Self.scan(found.source, Document.scanner(key), on: compute))
            }
            return DocumentSource(outline: rows.outline, bytes: found.source)
        }
    }

    /// What is no such document is not kept, so that it takes no good one's place.
    private func want<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key) throws -> ContentRequest {
        let (maker, compute, repository) = (self.maker, self.context.compute, self.repository.id)
        let others = OtherForms(
            paths: try Document.forms(key).map(Document.path), repository: repository, shelf: self.repository.shelf.id, maxAge: self.part.cache.maxAge,
            maker: maker)
        let conversion = DocumentConversion(shelf: self.repository.shelf, scratch: maker.documents.scratch, compute: compute)
        return ContentRequest(try Document.path(key), .mutable, upstream: Document.upstream(key), delivery: .whole) { arrival in
            var kept = arrival.blob
            if let converter = Document.converter(key) { kept = try await conversion.convert(kept, by: converter) }
            let outline = try await Self.scan(kept.source, Document.scanner(key), on: compute)
            if let digest = kept.digests.first(.sha256) {
                maker.documents.remember(outline, type, key, of: DocumentStamp.Part(repository: repository, version: .bytes(digest)))
                try await others.expire(after: arrival.path, digest)
            }
            return Edit([.putAsset(NewAsset(arrival.path, kept, contentType: arrival.contentType, attributes: arrival.attributes), .always)])
        }
    }

    private static func scan(_ source: any ContentSource, _ scanner: some OutlineScanner, on compute: any BlockingPool) async throws -> Outline {
        var (scanner, outline, at) = (scanner, Outline(), Int64(0))
        while let bytes = try await source.read(at: at, limit: 1 << 20, on: compute) {
            let state = (scanner, outline, at)
            outline = Outline()
            (scanner, outline) = try await compute.run {
                var (scanner, outline, at) = state
                try scanner.feed(bytes, at: at, into: &outline)
                return (scanner, outline)
            }
            at += Int64(bytes.readableBytes)
        }
        let state = (scanner, outline)
        return try await compute.run {
            var (scanner, outline) = state
            try scanner.finish(into: &outline)
            outline.seal()
            return outline
        }
    }

    /// In a dry run the upstream's document is not read, and nothing is made of it.
    private var unknown: ContentDigest? { self.context.notes.trace == nil ? nil : ContentDigest(.sha256, repeatElement(0, count: 32)) }

    // MARK: Waiting for the whole

    /// A document with its digest: what is kept, or what has come and is kept by now. A client that could have an older one waits for
    /// `revalidateDeadline` and no longer.
    private func whole(_ want: ContentRequest) async throws -> Content? {
        let found: Content?
        do {
            found = try await self.content(want)
        } catch let error as FormatError where error.isOfBrokenDocument {
            // It came and was refused in one go, as what is short does.
            let (older, age, deadline) = try await self.older(want)
            guard let older, deadline != nil else { throw error }
            return try await self.content(of: older, want, .stale, since: age)
        }
        guard let found else { return nil }
        if found.head.digests.first(.sha256) != nil || self.context.notes.trace != nil { return found }
        let (older, age, deadline) = try await self.older(want)
        do {
            try await Deadline.run(deadline) { [fill = self.maker.fills.running(self.fillKey(want))] in try await fill?.kept() }
            guard let asset = try await self.maker.metadata.asset(at: want.path, in: self.repository.id) else {
                throw FormatError(.unavailable, "this was fetched and removed at once; try again", retryAfter: .seconds(1))
            }
            return try await self.content(of: asset, want, .miss, since: found.cache?.age)
        } catch {
            guard !(error is CancellationError), let older, deadline != nil else { throw FormatError(error) }
            return try await self.content(of: older, want, .stale, since: age)
        }
    }

    /// What is kept from before, and how long a client waits for what is newer; without a deadline it may not be given in its place.
    private func older(_ want: ContentRequest) async throws -> (asset: StoredAsset?, age: Duration?, deadline: Duration?) {
        let older = try await self.maker.metadata.asset(at: want.path, in: self.repository.id)
        let age = try await self.age(of: self.key(want.path))
        let mayServe = older != nil && self.freshness(for: want).mayServeStale(.document, age)
        return (older, age, mayServe ? self.part.cache.revalidateDeadline : nil)
    }
}

/// The other forms of a document: where one has changed, a client must not learn less from the next one that it asks for.
private struct OtherForms: Sendable {
    var paths: [AssetPath]
    var repository: RepositoryID
    var shelf: BlobStoreID
    var maxAge: Duration
    var maker: ContentMaker

    /// Has them asked for again. Before the change is kept, so that whoever sees it finds them so; what has not changed comes to a 304.
    /// - Parameter digest: of what is about to be kept at `path`.
    func expire(after path: AssetPath, _ digest: ContentDigest) async throws {
        guard !self.paths.isEmpty, let kept = try await self.maker.metadata.asset(at: path, in: self.repository)?.digests.first(.sha256), kept != digest else {
            return
        }
        // As old as may be and no older, so that they can be served where the upstream is in trouble.
        let now = self.maker.now()
        let limit = now - self.maxAge - .seconds(1)
        var states: [UpstreamState] = []
        for path in self.paths {
            guard var state = try await self.maker.metadata.upstreamState(of: UpstreamState.subject(of: path), in: self.repository), state.checked > limit
            else { continue }
            state.checked = limit
            states.append(state)
        }
        guard !states.isEmpty else { return }
        try await self.maker.metadata.commit(RepositoryEdit(repository: self.repository, store: self.shelf, edit: Edit([]), states: states, now: now))
    }
}

extension Fill {
    /// Returns when it is committed.
    /// - Throws: why it never will be.
    func kept() async throws {
        while true {
            try Task.checkCancellation()
            let (isKept, failure) = self.state.withLock { state in (state.machine.phase == .kept, state.machine.unkept) }
            // Another one was faster, and has kept it.
            if case .superseded? = failure { return }
            if let failure { throw FormatError(failure) }
            if isKept { return }
            await self.wait { $0.machine.phase != .kept && $0.machine.unkept == nil }
        }
    }
}
