import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import StorageAPI

extension ProxyContent {
    func resolve(_ want: PointerRequest) async throws -> Pointer? {
        if let trace = self.context.notes.trace { return try await self.explained(want, trace) }
        self.context.notes.beginQuestion()
        let kept = try await self.maker.metadata.pointer(want.name, in: self.repository.id)
        guard let resource = want.upstream else {
            self.context.notes.stands(until: nil)
            return kept.map { Pointer(target: $0, member: self.repository.name) }
        }
        let key = Refreshes.Key(repository: self.repository.id, subject: UpstreamState.subject(of: want.name))
        let age = try await self.age(of: key)
        let kind: Freshness.Kind = self.part.cache.isFixed(want.name) ? .immutable : .document
        switch self.freshness.plan(kind, kept != nil, age: age, missed: self.maker.misses.age(of: key, now: self.maker.now())) {
        case .serve:
            let isForGood = kind == .immutable && self.freshness.gone(kind) == .keep
            self.context.notes.stands(until: isForGood ? nil : self.freshness.end(age: age, now: self.maker.now()))
            return kept.map { self.pointer($0, .hit, age ?? .zero) }
        case .serveGone: return kept.map { self.pointer($0, .stale, age ?? .zero) }
        case .absent(let since):
            self.noteMiss(since)
            return nil
        case .ask: return try await self.asked(want, resource, kept: kept, key, within: nil)
        case .askWithin(let deadline):
            do {
                return try await self.asked(want, resource, kept: kept, key, within: deadline)
            } catch let error as FormatError where error.isTrouble {
                return kept.map { self.pointer($0, .stale, age ?? .zero) }
            }
        }
    }

    var freshness: Freshness { Freshness(cache: self.part.cache) }

    func freshness(for want: ContentRequest) -> Freshness {
        var freshness = self.freshness
        if let bound = want.maxAge {
            freshness.cache.maxAge = min(freshness.cache.maxAge, bound)
            freshness.cache.staleOnError = false
        }
        return freshness
    }

    /// Since the upstream confirmed it last; nil: not known.
    func age(of key: Refreshes.Key) async throws -> Duration? {
        try await self.maker.metadata.upstreamState(of: key.subject, in: self.repository.id).map { self.maker.now() - $0.checked }
    }

    private func pointer(_ target: String, _ outcome: CacheReport.Outcome, _ age: Duration) -> Pointer {
        Pointer(target: target, member: self.repository.name, cache: CacheReport(outcome, age: age))
    }

    /// nil: the upstream has no such name.
    /// - Throws: `FormatError`.
    private func asked(
        _ want: PointerRequest, _ resource: UpstreamResource, kept: String?, _ key: Refreshes.Key, within deadline: Duration?
    ) async throws -> Pointer? {
        do {
            let answer = try await self.maker.refreshes.answer(key, within: deadline, start: self.maker.fills.start) {
                try await self.ask(want, resource, key)
            }
            switch answer {
            case .target(let target, let age): return self.pointer(target, target == kept ? .revalidated : .miss, age)
            case .gone: return kept.map { self.pointer($0, .stale, .zero) }
            case .absent, .same, .arriving: return nil
            }
        } catch let error as UpstreamError {
            throw FormatError(error)
        }
    }

    /// Asks, and keeps the answer. A name that is gone upstream is gone here.
    private func ask(_ want: PointerRequest, _ resource: UpstreamResource, _ key: Refreshes.Key) async throws -> Refreshes.Answer {
        do {
            let answer = try await self.target(want, resource)
            let kept = try await self.maker.metadata.pointer(want.name, in: self.repository.id)
            if let kept, kept != answer.target, let content = want.content?(answer.target) { try await self.have(content) }
            let changes: [Edit.Change] = answer.target == kept ? [] : [.point(want.name, to: answer.target, .always)]
            try await self.note(
                Edit(changes), [UpstreamState(subject: key.subject, entityTag: "", lastModified: "", checked: self.maker.now() - .seconds(answer.age))])
            self.maker.misses.remove(key)
            return .target(answer.target, age: .seconds(answer.age))
        } catch let error as UpstreamError where error.code == .absent {
            self.maker.misses.add(key, at: self.maker.now())
            let kind: Freshness.Kind = self.part.cache.isFixed(want.name) ? .immutable : .document
            guard try await self.maker.metadata.pointer(want.name, in: self.repository.id) != nil else { return .absent }
            if self.freshness.gone(kind) == .keep { return .gone }
            try await self.letGo(Edit([.unpoint(want.name)]))
            return .absent
        }
    }

    private func target(_ want: PointerRequest, _ resource: UpstreamResource) async throws -> (target: String, age: Int64) {
        let head = try await self.part.upstream.send(UpstreamRequest(.head, resource))
        // A page in the place of a manifest is no name's target.
        _ = try AnswerHead(head, for: resource)
        let age = AnswerHead.age(head.headers)
        if let target = want.target(head.headers) { return (target, age) }
        let answer = try await self.part.upstream.send(UpstreamRequest(.get, resource))
        _ = try AnswerHead(answer, for: resource)
        guard let body = try await answer.body.collect(upTo: want.largest) else {
            throw UpstreamError(.trouble(.badAnswer), "the upstream's answer is larger than \(want.largest) bytes")
        }
        return try await self.context.compute.run {
            var hasher = MultiHasher([])
            hasher.update([body])
            return (hasher.digests()[0].description, age)
        }
    }

    /// Fetches what a name is about to lead to: an upstream that says a new target and cannot deliver it, as one does that counts pulls, must
    /// not take away what was had before.
    /// - Throws: `UpstreamError` where it cannot be had.
    private func have(_ want: ContentRequest) async throws {
        var want = want
        want.delivery = .whole
        do {
            guard let content = try await self.content(want) else {
                throw UpstreamError(.trouble(.badAnswer), "the upstream does not have what its name leads to")
            }
            var at: Int64 = 0
            while let piece = try await content.source.read(at: at, limit: 1 << 20, on: self.context.compute) { at += Int64(piece.readableBytes) }
        } catch let error as FormatError {
            guard let trouble = error.code.trouble else { throw error }
            throw UpstreamError(.trouble(trouble), error.message, retryAfter: error.retryAfter, cause: error)
        }
    }

    func forward(_ call: UpstreamCall) async throws -> UpstreamReply? {
        self.context.notes.standsOnce()
        self.context.notes.trace?.add(
            self.repository.name, "\(call.resource.shown) at \(self.part.upstream.name)", "asked and passed on; nothing of it is kept")
        return try await self.origin.ask(call)
    }
}

extension FormatError.Code {
    /// What was wrong with an upstream, or with keeping what it sent; nil: something else.
    fileprivate var trouble: Trouble? {
        switch self {
        case .upstreamUnreachable: .unreachable
        case .upstreamTimedOut: .timedOut
        case .upstreamFailed, .noSpace, .quotaExceeded: .failed
        case .unavailable: .throttled
        case .notFound, .invalidRequest, .methodNotAllowed, .unauthenticated, .forbidden, .conflict, .preconditionFailed, .readOnly, .digestMismatch,
            .wrongRange, .tooLarge, .unsupported, .throttled, .notServed, .cancelled, .internalFailure:
            nil
        }
    }
}

/// A bound on how long a client waits for an upstream while there is something else to give it.
enum Deadline {
    /// - Parameter duration: nil: no bound but the upstream's own.
    /// - Throws: what `work` throws; `UpstreamError` `.timedOut` where it takes longer.
    static func run<Value: Sendable>(_ duration: Duration?, _ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        guard let duration else { return try await work() }
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: duration)
                return nil
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() ?? nil else {
                throw UpstreamError(.trouble(.timedOut), "the upstream has not answered within \(duration)")
            }
            return value
        }
    }
}
