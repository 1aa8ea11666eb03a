import Synchronization
import ArtifactModel
import FormatAPI
import NIOCore
import StorageAPI

extension Fill {
    /// Hashes what did not come in order, and compares.
    func verify() async {
        let (hasher, arriving, length) = self.state.withLock { ($0.hasher, $0.arriving, $0.machine.length) }
        do {
            guard let hasher, let arriving, let length else { throw BlobStoreError(.io, "a fill is whole and has no bytes") }
            let whole = try await self.hashed(hasher, arriving, length)
            self.state.withLock { $0.hasher = whole }
            var failure = self.mismatch(whole.digests())
            if failure != nil { for reproach in self.state.withLock({ $0.reproaches }) { reproach() } }
            if failure == nil { failure = await self.refusal(whole) }
            self.decide { $0.verified(failure) }
        } catch {
            self.decide { $0.verified(FillTransfer.failure(error)) }
        }
    }

    private func hashed(_ start: MultiHasher, _ source: any ContentSource, _ length: Int64) async throws -> MultiHasher {
        var hasher = start
        while hasher.length < length {
            let state = hasher
            let limit = min(Int64(Sink.batchSize), length - state.length)
            guard let bytes = try await source.read(at: state.length, limit: limit, on: self.compute), bytes.readableBytes > 0 else {
                throw BlobStoreError(.io, "a fill's file is shorter than what was written")
            }
            hasher = try await self.compute.run {
                var advanced = state
                advanced.update([bytes])
                return advanced
            }
        }
        return hasher
    }

    private func mismatch(_ digests: [ContentDigest]) -> FillFailure? {
        for expected in self.want.expecting where !digests.contains(expected) {
            return .mismatch("the upstream's bytes for \(expected) hash to \(digests.first(expected.algorithm).map { "\($0)" } ?? "something else")")
        }
        return nil
    }

    /// What the format says to it, where it has something to say: readers have not had the last of it yet.
    private func refusal(_ hasher: MultiHasher) async -> FillFailure? {
        guard let record = self.want.record, let (writer, head) = self.state.withLock({ state in state.writer.flatMap { w in state.head.map { (w, $0) } } })
        else { return nil }
        do {
            let blob = try await self.origin.shelf.keep(writer.id, hasher.digests(), size: hasher.length)
            let edit = try await record(self.arrival(blob, head))
            self.state.withLock { $0.staged = (blob, edit) }
            return nil
        } catch let error as FormatError {
            switch error.code {
            // Not a word about the bytes: they go to the readers, and keeping them fails below.
            case .noSpace, .quotaExceeded, .unavailable, .cancelled, .internalFailure: return nil
            default:
                let failure = FillTransfer.failure(error)
                self.origin.log(failure, of: self.want.path)
                return failure
            }
        } catch {
            return nil
        }
    }

    /// Readers have all of it by now. Seals, and commits what the format makes of it.
    func keep() async {
        let (hasher, writer, head) = self.state.withLock { ($0.hasher, $0.writer, $0.head) }
        do {
            guard let hasher, let writer, let head else { throw BlobStoreError(.io, "a fill is whole and has no bytes") }
            let (blob, edit) = try await self.staged(hasher, writer, head)
            try await self.commit(edit, head)
            self.state.withLock { $0.kept = blob.source }
            self.decide { $0.committed(nil) }
        } catch {
            let failure = FillTransfer.failure(error)
            self.origin.log(failure, of: self.want.path)
            self.decide { $0.committed(failure) }
        }
        self.finish()
    }

    private func staged(_ hasher: MultiHasher, _ writer: any BlobWriter, _ head: AnswerHead) async throws -> (StagedBlob, Edit) {
        if let staged = self.state.withLock({ $0.staged }) { return staged }
        let blob = try await self.origin.shelf.keep(writer.id, hasher.digests(), size: hasher.length)
        let arrival = self.arrival(blob, head)
        return (blob, try await self.want.record?(arrival) ?? Edit([.putAsset(arrival.asset, .always)]))
    }

    private func commit(_ edit: Edit, _ head: AnswerHead) async throws {
        let now = self.origin.now()
        var states: [UpstreamState] = []
        if self.want.change == .mutable {
            states = [
                UpstreamState(
                    subject: UpstreamState.subject(of: self.want.path), entityTag: head.entityTag, lastModified: head.lastModified,
                    checked: now - .seconds(head.age))
            ]
        }
        try await self.origin.metadata.commit(
            RepositoryEdit(repository: self.key.repository, store: self.origin.shelf.id, edit: edit, states: states, now: now))
    }

    private func arrival(_ blob: StagedBlob, _ head: AnswerHead) -> Arrival {
        let origin = self.origin
        return Arrival(
            path: self.want.path, blob: blob, contentType: self.contentType(head), attributes: head.kept, ask: { try await origin.ask($0) },
            warn: { [path = self.want.path] in origin.warn($0, path) })
    }

    func contentType(_ head: AnswerHead) -> String {
        if let given = self.want.contentType { return given }
        return head.contentType.isEmpty ? "application/octet-stream" : head.contentType
    }

    /// After a failure, or where what arrived could not be kept.
    func discard() async {
        if let writer = self.state.withLock({ $0.writer }) {
            // What stays behind is the sweeper's.
            try? await self.origin.shelf.store.discard(writer.id)
        }
        self.finish()
    }
}
