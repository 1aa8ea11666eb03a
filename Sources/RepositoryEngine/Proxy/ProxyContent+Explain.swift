import ArtifactModel
import FormatAPI
import HTTPTypes
import StorageAPI

/// The dry run: the same decisions on the same facts. An upstream is asked by HEAD alone, and nothing comes of what it says.
extension ProxyContent {
    func explained(_ want: ContentRequest, _ trace: DecisionTrace) async throws -> Content? {
        let asset = try await self.maker.metadata.asset(at: want.path, in: self.repository.id)
        let kind: Freshness.Kind = want.change == .mutable ? .document : .immutable
        guard let resource = want.upstream else {
            trace.add(self.repository.name, "\(want.path)", asset == nil ? "not kept; its upstream is not asked for this" : "kept")
            return try await self.served(asset, want, .hit, nil)
        }
        let key = self.key(want.path)
        let age = try await self.age(of: key) ?? (kind == .immutable ? asset.map { self.maker.now() - $0.created } : nil)
        let missed = self.maker.misses.age(of: key, now: self.maker.now())
        let plan = self.freshness(for: want).plan(asset == nil ? .document : kind, asset != nil, age: age, missed: missed)
        trace.add(self.repository.name, "\(want.path)", self.words(asset != nil, kind, age, plan))
        switch plan {
        case .serve: return try await self.served(asset, want, .hit, age)
        case .serveGone: return try await self.served(asset, want, .stale, age)
        case .absent(let since):
            self.context.notes.add(CacheReport(.negative, age: since))
            return nil
        case .ask, .askWithin: break
        }
        do {
            let head = try await self.askedDry(resource, trace) { try await self.head(of: resource, want) }
            guard let head else {
                return asset != nil && self.freshness.gone(kind) == .keep ? try await self.served(asset, want, .stale, age) : nil
            }
            return try await self.served(asset, want, .revalidated, age) ?? self.described(head, want)
        } catch {
            if case .askWithin = plan { return try await self.served(asset, want, .stale, age) }
            throw error
        }
    }

    func explained(_ want: PointerRequest, _ trace: DecisionTrace) async throws -> Pointer? {
        let kept = try await self.maker.metadata.pointer(want.name, in: self.repository.id)
        let question = "\(want.name.kind) \(want.name.package.path):\(want.name.name)"
        func pointer(_ outcome: CacheReport.Outcome, _ age: Duration?) -> Pointer? {
            kept.map { Pointer(target: $0, member: self.repository.name, cache: CacheReport(outcome, age: age ?? .zero)) }
        }
        guard let resource = want.upstream else {
            trace.add(self.repository.name, question, kept.map { "kept, and points to \($0)" } ?? "not kept; its upstream is not asked for this")
            return pointer(.hit, nil)
        }
        let key = Refreshes.Key(repository: self.repository.id, subject: UpstreamState.subject(of: want.name))
        let age = try await self.age(of: key)
        let kind: Freshness.Kind = self.part.cache.isFixed(want.name) ? .immutable : .document
        let plan = self.freshness.plan(kind, kept != nil, age: age, missed: self.maker.misses.age(of: key, now: self.maker.now()))
        trace.add(self.repository.name, question, self.words(kept != nil, kind, age, plan) + (kept.map { "; it points to \($0)" } ?? ""))
        switch plan {
        case .serve: return pointer(.hit, age)
        case .serveGone: return pointer(.stale, age)
        case .absent(let since):
            self.context.notes.add(CacheReport(.negative, age: since))
            return nil
        case .ask, .askWithin: break
        }
        do {
            let head = try await self.askedDry(resource, trace) { try await self.part.upstream.send(UpstreamRequest(.head, resource)) }
            guard let head else { return kept != nil && self.freshness.gone(kind) == .keep ? pointer(.stale, age) : nil }
            guard let target = want.target(head.headers) ?? kept else {
                trace.add(self.repository.name, question, "the upstream does not say by HEAD where it points; a request that is no dry run reads it")
                return nil
            }
            return Pointer(target: target, member: self.repository.name, cache: CacheReport(target == kept ? .revalidated : .miss, age: .zero))
        } catch {
            if case .askWithin = plan { return pointer(.stale, age) }
            throw error
        }
    }

    /// nil: the upstream has no such thing.
    /// - Throws: `FormatError` where it is in trouble.
    private func askedDry<Head>(_ resource: UpstreamResource, _ trace: DecisionTrace, _ ask: () async throws -> Head) async throws -> Head? {
        let question = "HEAD \(resource.shown) at \(self.part.upstream.name)\(self.breakers)"
        let start = ContinuousClock.now
        func spent() -> String { "after \((ContinuousClock.now - start).milliseconds) ms" }
        do {
            let head = try await ask()
            trace.add(self.repository.name, question, "it has this, \(spent())")
            return head
        } catch let failure as FillFailure where failure.isAnswer {
            trace.add(self.repository.name, question, "it does not have this, \(spent())")
            return nil
        } catch let error as UpstreamError where error.code == .absent {
            trace.add(self.repository.name, question, "it does not have this, \(spent())")
            return nil
        } catch {
            let failure = (error as? FillFailure).map { FormatError($0) } ?? (error as? UpstreamError).map { FormatError($0) } ?? FormatError(error)
            trace.add(self.repository.name, question, "in trouble, \(spent()): \(failure.message)")
            throw failure
        }
    }

    private var breakers: String {
        let open = self.part.upstream.figures.sites.filter { $0.breaker != .closed }
        return open.isEmpty ? "" : " (breaker open: \(open.map(\.origin).joined(separator: ", ")))"
    }

    private func words(_ isKept: Bool, _ kind: Freshness.Kind, _ age: Duration?, _ plan: Freshness.Plan) -> String {
        guard isKept else { return "not kept; \(plan.words)" }
        let confirmed = age.map { "confirmed \($0.components.seconds) s ago" } ?? "not confirmed since it was invalidated"
        let bound = kind == .document ? "may change, maxAge \(self.part.cache.maxAge.components.seconds) s" : "never changes"
        return "kept, \(confirmed), \(bound); \(plan.words)"
    }

    private func served(_ asset: StoredAsset?, _ want: ContentRequest, _ outcome: CacheReport.Outcome, _ age: Duration?) async throws -> Content? {
        guard let asset else { return nil }
        return try await self.content(of: asset, want, outcome, since: age)
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 { self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000 }
}
