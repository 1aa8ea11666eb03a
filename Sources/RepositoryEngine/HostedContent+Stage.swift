import ArtifactModel
import FormatAPI
import StorageAPI

extension HostedContent {
    func stage(_ body: ByteStream, _ demand: StageDemand) async throws -> StagedBlob {
        try self.refuseIfReadOnly()
        if let limit = demand.limit, let length = body.length, length > limit { throw Self.tooLarge(limit) }
        try await self.refuseIfTaken(demand, length: body.length)
        try await self.repository.shelf.admit(body.length)
        let writer = try await self.repository.shelf.store.create()
        do {
            let hasher = try await self.receive(body, demand, into: writer)
            return try await self.repository.shelf.keep(writer.id, hasher.digests(), size: hasher.length)
        } catch {
            await self.discard(writer.id)
            throw error
        }
    }

    private func receive(_ body: ByteStream, _ demand: StageDemand, into writer: any BlobWriter) async throws -> MultiHasher {
        let algorithms = demand.computing.union(demand.expecting.map(\.algorithm))
        let shelf = self.repository.shelf
        let sink = Sink(writer: writer, compute: self.context.compute, allowance: { try await shelf.allowance() })
        let room = self.repository.shelf.room
        let limit = [demand.limit, room].compactMap(\.self).min()
        let intake = try await sink.take(body, at: 0, hasher: MultiHasher(algorithms), limit: limit)
        if let interruption = intake.interruption { throw interruption }
        if intake.excess { throw limit == demand.limit ? Self.tooLarge(limit ?? 0) : self.repository.shelf.overQuota }
        if let length = body.length, length != intake.length {
            throw FormatError(.invalidRequest, "the body has \(intake.length) bytes, and \(length) were declared")
        }
        guard let hasher = intake.hasher else { throw FormatError(.internalFailure, "the body was not hashed") }
        try Self.verify(hasher.digests(), are: demand.expecting)
        return hasher
    }

    /// `allowOnce` lets equal content come again, so only what cannot be equal is refused before it is read.
    private func refuseIfTaken(_ demand: StageDemand, length: Int64?) async throws {
        guard self.policy == .allowOnce, let target = demand.target,
            let kept = try await self.maker.metadata.asset(at: target, in: self.repository.id)
        else { return }
        let expected = demand.expecting.first(.sha256)
        if let length, length != kept.size { throw Edit.Refused.policy(0) }
        if let expected, !kept.digests.contains(expected) { throw Edit.Refused.policy(0) }
    }

    static func verify(_ digests: [ContentDigest], are expected: [ContentDigest]) throws {
        for digest in expected where !digests.contains(digest) {
            let found = digests.first(digest.algorithm).map { "\($0)" } ?? "something else"
            throw FormatError(.digestMismatch, "the bytes hash to \(found), and \(digest) was declared; nothing was kept")
        }
    }

    /// What stays behind when this fails is removed by the sweeper, so the request's own error is the one that is told.
    func discard(_ upload: UploadID) async {
        try? await self.repository.shelf.store.discard(upload)
    }

    private static func tooLarge(_ limit: Int64) -> FormatError { FormatError(.tooLarge, "the body is larger than \(limit) bytes, which is the limit here") }
}
