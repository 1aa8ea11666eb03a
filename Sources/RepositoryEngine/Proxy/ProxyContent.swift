import Synchronization
import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import StorageAPI

/// What an upstream has, kept as it is asked for.
struct ProxyContent: RepositoryContent {
    let context: RequestContext
    let repository: Repository
    let part: ProxyPart
    let maker: ContentMaker
    /// Whether a name is not another repository's own.
    let mayAsk: @Sendable (_ name: String) -> Bool
    /// Whether what is kept is opened where its first byte is asked for, and not before.
    var opensLate = false

    private var metadata: any MetadataStore { self.maker.metadata }
    var origin: ProxyOrigin {
        ProxyOrigin(
            repository: self.repository.id, name: self.repository.name, upstream: self.part.upstream, shelf: self.repository.shelf,
            metadata: self.maker.metadata, now: self.maker.now, logger: self.maker.fills.logger)
    }

    func content(_ asked: ContentRequest) async throws -> Content? {
        let want = asked.settled(by: self.repository.settings)
        if let trace = self.context.notes.trace { return try await self.explained(want, trace) }
        self.context.notes.beginQuestion()
        // Once more where what was asked for was kept between the look and the question; twice is not possible but by deletes.
        for _ in 0..<3 {
            do {
                if let kept = try await self.kept(want) { return kept }
                guard let resource = want.upstream else {
                    self.context.notes.stands(until: nil)
                    return nil
                }
                return try await self.fetched(want, resource)
            } catch FillFailure.superseded {
                continue
            } catch FillFailure.absent {
                return nil
            } catch let failure as FillFailure {
                throw FormatError(failure)
            }
        }
        throw FormatError(.unavailable, "this is being fetched and removed at once; try again", retryAfter: .seconds(1))
    }

    // MARK: What is kept

    private func kept(_ want: ContentRequest) async throws -> Content? {
        guard let asset = try await self.metadata.asset(at: want.path, in: self.repository.id) else { return nil }
        let kind: Freshness.Kind = want.change == .mutable ? .document : .immutable
        guard kind == .document || self.freshness.gone(kind) == .honour, let resource = want.upstream else {
            self.context.notes.stands(until: nil)
            return try await self.content(of: asset, want, .hit, since: nil)
        }
        let key = self.key(want.path)
        let age = try await self.age(of: key) ?? (kind == .immutable ? self.maker.now() - asset.created : nil)
        switch self.freshness(for: want).plan(kind, true, age: age, missed: self.maker.misses.age(of: key, now: self.maker.now())) {
        case .serve:
            self.context.notes.stands(until: self.freshness(for: want).end(age: age, now: self.maker.now()))
            return try await self.content(of: asset, want, .hit, since: age)
        case .serveGone: return try await self.content(of: asset, want, .stale, since: age)
        case .absent(let since):
            self.noteMiss(since)
            throw FillFailure.absent
        case .ask: return try await self.revalidated(asset, want, resource, within: nil)
        case .askWithin(let deadline):
            do {
                return try await self.revalidated(asset, want, resource, within: deadline)
            } catch let failure as FillFailure where !failure.isAnswer {
                return try await self.content(of: asset, want, .stale, since: age)
            } catch let error as UpstreamError where error.code != .cancelled {
                return try await self.content(of: asset, want, .stale, since: age)
            }
        }
    }

    /// The upstream said so long ago that it has no such thing.
    func noteMiss(_ since: Duration) {
        self.context.notes.add(CacheReport(.negative, age: since))
        self.context.notes.stands(until: self.freshness.end(missed: since, now: self.maker.now()))
    }

    func key(_ path: AssetPath) -> Refreshes.Key { Refreshes.Key(repository: self.repository.id, subject: UpstreamState.subject(of: path)) }

    /// Asks whether what is kept is still right.
    /// - Throws: `FillFailure`; `UpstreamError` after the deadline.
    private func revalidated(_ asset: StoredAsset, _ want: ContentRequest, _ resource: UpstreamResource, within deadline: Duration?) async throws -> Content? {
        let answer = try await self.maker.refreshes.answer(self.key(want.path), within: deadline, start: self.maker.fills.start) {
            want.change == .mutable ? try await self.ask(want, resource) : try await self.askWhetherGone(want, resource)
        }
        switch answer {
        case .absent, .target: throw FillFailure.absent
        case .gone: return try await self.content(of: asset, want, .stale, since: try await self.age(of: self.key(want.path)))
        case .same: return try await self.content(of: asset, want, .revalidated, since: .zero)
        case .arriving(let fill):
            fill.enter()
            return try await self.content(arriving: fill, want, resource)
        }
    }

    private func ask(_ want: ContentRequest, _ resource: UpstreamResource) async throws -> Refreshes.Answer {
        let key = self.key(want.path)
        let state = try await self.metadata.upstreamState(of: key.subject, in: self.repository.id)
        let known = Validators(entityTag: state?.entityTag ?? "", lastModified: state?.lastModified ?? "")
        let (fill, _) = self.maker.fills.enter(Fill.Key(repository: self.repository.id, path: want.path)) {
            Fill(self.fillKey(want), want, resource, known: known, origin: self.origin, owner: self.maker.fills)
        }
        defer { fill.leave() }
        fill.decide { $0.join(nil) }
        do {
            _ = try await fill.opened()
            return .arriving(fill)
        } catch FillFailure.notModified {
            try await self.touch(want.path, state)
            return .same
        } catch FillFailure.absent {
            self.maker.misses.add(key, at: self.maker.now())
            if self.freshness.gone(.document) == .keep { return .gone }
            try await self.letGo(want.removal ?? Edit([.removeAsset(want.path)]))
            return .absent
        }
    }

    /// Of what never changes: only whether it is there.
    private func askWhetherGone(_ want: ContentRequest, _ resource: UpstreamResource) async throws -> Refreshes.Answer {
        do {
            _ = try await self.head(of: resource, want)
            try await self.touch(want.path, nil)
            return .same
        } catch FillFailure.absent {
            self.maker.misses.add(self.key(want.path), at: self.maker.now())
            try await self.letGo(want.removal ?? Edit([.removeAsset(want.path)]))
            return .absent
        }
    }

    /// Another request may have been first.
    func letGo(_ edit: Edit) async throws {
        do {
            try await self.note(edit, [])
        } catch let error as MetadataError {
            guard case .refused(.missing) = error.code else { throw error }
        }
    }

    private func touch(_ path: AssetPath, _ state: UpstreamState?) async throws {
        let state = UpstreamState(
            subject: UpstreamState.subject(of: path), entityTag: state?.entityTag ?? "", lastModified: state?.lastModified ?? "", checked: self.maker.now())
        try await self.note(Edit([]), [state])
    }

    /// nil: its bytes are gone, so that it is fetched anew.
    func content(of asset: StoredAsset, _ want: ContentRequest, _ outcome: CacheReport.Outcome, since age: Duration?) async throws -> Content? {
        guard let digest = asset.digests.first(.sha256) else { throw FormatError(.internalFailure, "the metadata names no bytes for this") }
        guard let source = try await self.source(of: digest, asset) else {
            self.context.notes.standsOnce()
            guard want.upstream == nil else { return nil }
            throw FormatError(
                .internalFailure, "the bytes of this are missing from the blob store", cause: BlobStoreError(.notFound, "no bytes for \(digest)"))
        }
        let before = asset.attributes[AnswerHead.ageKey].flatMap { Int64($0) } ?? 0
        let head = ContentHead(
            digests: asset.digests, size: asset.size, contentType: asset.contentType,
            entityTag: asset.attributes[AnswerHead.entityTagKey] ?? "\"\(digest)\"",
            lastModified: asset.attributes[AnswerHead.lastModifiedKey].flatMap(AnswerHead.moment) ?? asset.created, attributes: asset.attributes,
            change: want.change)
        let report = CacheReport(outcome, age: age ?? (self.maker.now() - asset.created + .seconds(before)))
        guard self.context.notes.trace == nil else { return Content(head: head, member: self.repository.name, cache: report, source: source) }
        let served = self.maker.serving(source, of: want.path, in: self.repository.id, to: want.delivery ?? self.context.delivery, self.context.notes)
        return Content(head: head, member: self.repository.name, cache: report, source: served)
    }

    private func source(of digest: ContentDigest, _ asset: StoredAsset) async throws -> (any ContentSource)? {
        let (maker, repository, compute) = (self.maker, self.repository, self.context.compute)
        guard self.opensLate else { return try await maker.source(of: digest, size: asset.size, in: repository.shelf, on: compute) }
        return LateContent(length: asset.size) {
            if let source = try await maker.source(of: digest, size: asset.size, in: repository.shelf, on: compute) { return source }
            // Its bytes are gone. It is fetched anew, as a file would be; and what was to be made of it is begun anew.
            try await self.letGo(Edit([.removeAsset(asset.path)]))
            throw DocumentChanged()
        }
    }

    // MARK: What is fetched

    func fillKey(_ want: ContentRequest) -> Fill.Key { Fill.Key(repository: self.repository.id, path: want.path) }

    /// What is not here.
    /// - Throws: `FillFailure`.
    private func fetched(_ want: ContentRequest, _ resource: UpstreamResource) async throws -> Content? {
        if self.delivery(want).isOfNothing { throw FillFailure.beyond(0) }
        let key = self.key(want.path)
        if case .absent(let since) = self.freshness.plan(.document, false, age: nil, missed: self.maker.misses.age(of: key, now: self.maker.now())) {
            self.noteMiss(since)
            return nil
        }
        do {
            // Bytes that are on their way under this very name are nobody else's.
            if self.maker.fills.running(self.fillKey(want)) == nil {
                if self.delivery(want) == .head {
                    // A download that ended between the first look and the second was of this very name.
                    if let kept = try await self.kept(want) { return kept }
                    return try await self.described(want, resource)
                }
                if let linked = try await self.linked(want, resource) { return linked }
            }
            return try await self.arriving(want, resource)
        } catch FillFailure.absent {
            self.maker.misses.add(key, at: self.maker.now())
            throw FillFailure.absent
        }
    }

    private func delivery(_ want: ContentRequest) -> Delivery { want.delivery ?? self.context.delivery }

    private func arriving(_ want: ContentRequest, _ resource: UpstreamResource) async throws -> Content? {
        let (fill, isNew) = self.maker.fills.enter(self.fillKey(want)) {
            Fill(self.fillKey(want), want, resource, known: nil, origin: self.origin, owner: self.maker.fills)
        }
        do {
            // Kept between the first look and now, by a fill that has ended: another is not begun. Whoever enters looks: the one who is first may still be
            // looking, and what nobody needs must not be asked for meanwhile.
            if let kept = try await self.kept(want) {
                if isNew { fill.decide { $0.fail(.superseded) } }
                fill.leave()
                return kept
            }
        } catch {
            if isNew { fill.decide { $0.fail(.superseded) } }
            fill.leave()
            throw error
        }
        return try await self.content(arriving: fill, want, resource)
    }

    /// - Parameter fill: entered; left by the reader, or here where there is none.
    private func content(arriving fill: Fill, _ want: ContentRequest, _ resource: UpstreamResource) async throws -> Content? {
        let range: Range<Int64>?
        do {
            range = try await self.wanted(want, of: fill, resource)
        } catch {
            fill.leave()
            throw error
        }
        let reader = FillReader(fill, wanted: range, times: self.maker.fills.times)
        // Where the reader needs a request of its own, it makes that as its first byte is asked for.
        fill.decide { $0.join(range) }
        let head = try await Self.opened(fill, range)
        // Of what has no bytes none is ever asked for: whether that is right must be known before it is said.
        if head.length == 0 { _ = try await reader.next(at: 0, limit: 1) }
        return Content(
            head: self.describe(head, want, type: fill.contentType(head)), member: self.repository.name, cache: CacheReport(.miss, age: .seconds(head.age)),
            source: self.maker.serving(reader, of: want.path, in: self.repository.id, to: self.delivery(want), self.context.notes))
    }

    /// Where another reader's part is beyond the end, this one's need not be: it asks anew.
    private static func opened(_ fill: Fill, _ range: Range<Int64>?) async throws -> AnswerHead {
        do {
            return try await fill.opened()
        } catch FillFailure.beyond(let end) {
            throw (range?.lowerBound ?? 0) >= end && range != nil ? FillFailure.beyond(end) : FillFailure.superseded
        }
    }

    /// Which bytes the reader begins with; nil: all.
    private func wanted(_ want: ContentRequest, of fill: Fill, _ resource: UpstreamResource) async throws -> Range<Int64>? {
        switch self.delivery(want) {
        case .whole, .head, .part(.from(0)): return nil
        case .part(.closed(let range)): return range
        case .part(.from(let start)): return start..<Int64.max
        case .part(.last(let count)):
            // Where it begins follows from the length.
            let known = fill.state.withLock { $0.machine.length }
            let length = if let known { known } else { try await self.head(of: resource, want).length }
            guard let length, count < length else { return nil }
            return (length - count)..<length
        }
    }

    private func describe(_ head: AnswerHead, _ want: ContentRequest, type: String) -> ContentHead {
        let digest = want.expecting.first(.sha256).map { "\"\($0)\"" }
        return ContentHead(
            digests: want.expecting, size: head.length, contentType: type, entityTag: head.entityTag.isEmpty ? digest ?? "" : head.entityTag,
            lastModified: AnswerHead.moment(head.lastModified), attributes: head.kept, change: want.change)
    }

    func head(of resource: UpstreamResource, _ want: ContentRequest) async throws -> AnswerHead {
        do throws(UpstreamError) {
            return try AnswerHead(try await self.part.upstream.send(UpstreamRequest(.head, resource, kind: want.kind)), for: resource)
        } catch {
            switch error.code {
            case .absent: throw FillFailure.absent
            case .cancelled: throw CancellationError()
            case .trouble(let trouble): throw FillFailure.upstream(trouble, error.message, retryAfter: error.retryAfter)
            }
        }
    }

    /// A HEAD of what nobody fetches: asked by HEAD, and nothing is kept.
    private func described(_ want: ContentRequest, _ resource: UpstreamResource) async throws -> Content? {
        self.described(try await self.head(of: resource, want), want)
    }

    func described(_ head: AnswerHead, _ want: ContentRequest) -> Content {
        let type = want.contentType ?? (head.contentType.isEmpty ? "application/octet-stream" : head.contentType)
        return Content(
            head: self.describe(head, want, type: type), member: self.repository.name, cache: CacheReport(.miss, age: .seconds(head.age)),
            source: NoContent(length: head.length))
    }

    /// Bytes that the store holds already, under another name: the upstream says whether this name may have them, and they are linked.
    private func linked(_ want: ContentRequest, _ resource: UpstreamResource) async throws -> Content? {
        guard let digest = want.expecting.first(.sha256), let blob = try await self.repository.shelf.held(digest) else { return nil }
        // Held because a fill of this very name has ended since the first look: there is nothing to ask.
        if let kept = try await self.kept(want) { return kept }
        let head = try await self.head(of: resource, want)
        // Whoever says yes to every name is not believed: it must know how long the bytes are.
        guard head.length == blob.size else { return nil }
        let arrival = Arrival(
            path: want.path, blob: blob, contentType: want.contentType ?? (head.contentType.isEmpty ? "application/octet-stream" : head.contentType),
            attributes: head.kept)
        do {
            try await self.note(try await want.record?(arrival) ?? Edit([.putAsset(arrival.asset, .always)]), [])
        } catch let error as MetadataError where error.code == .blobGone {
            // Collected meanwhile: it is fetched like anything else.
            return nil
        }
        guard let asset = try await self.metadata.asset(at: want.path, in: self.repository.id) else { return nil }
        return try await self.content(of: asset, want, .miss, since: .seconds(head.age))
    }

    func note(_ edit: Edit, _ states: [UpstreamState]) async throws {
        try await self.metadata.commit(
            RepositoryEdit(repository: self.repository.id, store: self.repository.shelf.id, edit: edit, states: states, now: self.maker.now()))
    }

    // MARK: What a proxy does not do

    func fullName(_ name: String) -> String { self.part.upstream.fullName(name) }

    func asksUpstream(about name: String) async throws -> Bool { self.mayAsk(name) }

    func list(_ query: ContentQuery) async throws -> ContentPage {
        self.context.notes.trace?.add(self.repository.name, "a list", "of what is kept; the upstream is not asked")
        return try await self.metadata.rows(query, in: self.repository.id)
    }

    func stage(_ body: ByteStream, _ demand: StageDemand) async throws -> StagedBlob { throw self.readOnly }
    func uploads(in scope: String) -> any UploadSessions { NoUploads(error: self.readOnly) }

    /// Removing is letting go of what is kept; it comes again when it is asked for.
    func commit(_ edit: Edit) async throws {
        guard edit.onlyRemoves else { throw self.readOnly }
        do {
            try await self.note(edit, [])
        } catch let error as MetadataError {
            guard case .refused(let refusal) = error.code else { throw error }
            throw refusal
        }
    }

    private var readOnly: FormatError {
        FormatError(.readOnly, "«\(self.repository.name)» is a proxy: it takes no writes; push to a hosted repository")
    }
}

/// What is described and not read.
struct NoContent: ContentSource {
    let length: Int64?
    func next(at offset: Int64, limit: Int64) async throws -> ContentPiece? { nil }
}

/// Of a repository that takes no writes.
struct NoUploads: UploadSessions {
    let error: FormatError
    func begin() async throws -> String { throw self.error }
    func length(of session: String) async throws -> Int64? { nil }
    func append(_ body: ByteStream, to session: String, at offset: Int64?, exactly: Int64?, whenCut: CutBody) async throws -> Int64 { throw self.error }
    func finish(_ session: String, expecting digest: ContentDigest) async throws -> StagedBlob { throw self.error }
    func cancel(_ session: String) async throws { throw self.error }
}

extension ContentRequest {
    /// As the settings of the repository that is asked have it.
    fileprivate func settled(by settings: any Sendable) -> ContentRequest {
        guard let under else { return self }
        var own = under(settings)
        if self.upstream == nil { own.upstream = nil }
        (own.under, own.from, own.delivery, own.maxAge, own.naming) = (nil, self.from, self.delivery, self.maxAge, self.naming)
        return own
    }
}
