import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import StorageAPI

extension ProxyContent {
    func resolve(_ want: PointerRequest) async throws -> Pointer? {
        let kept = try await self.maker.metadata.pointer(want.name, in: self.repository.id)
        guard let resource = want.upstream else { return kept.map { Pointer(target: $0, member: self.repository.name) } }
        let state = try await self.maker.metadata.upstreamState(of: UpstreamState.subject(of: want.name), in: self.repository.id)
        let age = state.map { self.maker.now() - $0.checked }
        if let kept, let age, age <= self.part.cache.maxAge { return self.pointer(kept, .hit, age) }
        do {
            return try await self.asked(want, resource, kept: kept)
        } catch let error as UpstreamError {
            guard case .trouble = error.code, let kept, self.part.cache.staleOnError, (age ?? .zero) <= self.part.cache.maxStale else {
                throw FormatError(error)
            }
            return self.pointer(kept, .stale, age ?? .zero)
        }
    }

    private func pointer(_ target: String, _ outcome: CacheReport.Outcome, _ age: Duration) -> Pointer {
        Pointer(target: target, member: self.repository.name, cache: CacheReport(outcome, age: age))
    }

    /// nil: the upstream has no such name.
    private func asked(_ want: PointerRequest, _ resource: UpstreamResource, kept: String?) async throws -> Pointer? {
        let answer: (target: String, age: Int64)
        do {
            answer = try await self.target(want, resource, within: kept == nil ? nil : self.part.cache.revalidateDeadline)
        } catch let error as UpstreamError where error.code == .absent {
            return nil
        }
        if let kept, kept != answer.target, let content = want.content?(answer.target) { try await self.have(content) }
        let state = UpstreamState(
            subject: UpstreamState.subject(of: want.name), entityTag: "", lastModified: "", checked: self.maker.now() - .seconds(answer.age))
        let changes: [Edit.Change] = answer.target == kept ? [] : [.point(want.name, to: answer.target, .always)]
        try await self.note(Edit(changes), [state])
        return self.pointer(answer.target, answer.target == kept ? .revalidated : .miss, .seconds(answer.age))
    }

    private func target(_ want: PointerRequest, _ resource: UpstreamResource, within deadline: Duration?) async throws -> (target: String, age: Int64) {
        try await Deadline.run(deadline) {
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
    }

    /// Fetches what a name is about to lead to: an upstream that says a new target and cannot deliver it, as one does that counts pulls, must
    /// not take away what was had before.
    /// - Throws: `UpstreamError` where it cannot be had; after `revalidateDeadline` too, while it goes on arriving.
    private func have(_ want: ContentRequest) async throws {
        var want = want
        want.delivery = .whole
        let whole = want
        do {
            try await Deadline.run(self.part.cache.revalidateDeadline) {
                guard let content = try await self.content(whole) else {
                    throw UpstreamError(.trouble(.badAnswer), "the upstream does not have what its name leads to")
                }
                var at: Int64 = 0
                while let piece = try await content.source.read(at: at, limit: 1 << 20, on: self.context.compute) { at += Int64(piece.readableBytes) }
            }
        } catch let error as FormatError {
            guard let trouble = error.code.trouble else { throw error }
            throw UpstreamError(.trouble(trouble), error.message, retryAfter: error.retryAfter, cause: error)
        }
    }

    func forward(_ call: UpstreamCall) async throws -> UpstreamReply? {
        do {
            let answer = try await self.part.upstream.send(UpstreamRequest(.get, call.resource))
            guard let body = try await answer.body.collect(upTo: call.limit) else {
                throw FormatError(.upstreamFailed, "the upstream's answer is larger than \(call.limit) bytes")
            }
            return UpstreamReply(headers: answer.headers, body: body)
        } catch let error as UpstreamError {
            if error.code == .absent { return nil }
            throw FormatError(error)
        }
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
