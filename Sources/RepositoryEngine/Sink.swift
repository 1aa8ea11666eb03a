import ArtifactModel
import FormatAPI
import NIOCore
import StorageAPI

/// Takes a body in: batches of about 1 MiB, each hashed and written side by side while the next one arrives. Memory is two batches, however
/// small the pieces are that a client sends.
struct Sink: Sendable {
    /// Larger batches were measured to be slower, smaller ones cost a thread hop each.
    static let batchSize = 1 << 20

    struct Intake: Sendable {
        var hasher: MultiHasher?
        /// The upload's length now, in bytes.
        var length: Int64
        /// What broke the body off; what came before it is written and counts.
        var interruption: (any Error)?
        /// The body went on beyond the limit; nothing of the excess is written.
        var excess = false
    }

    let writer: any BlobWriter
    let compute: any BlockingPool
    /// How much may be written before this is asked again, in bytes; throws where there is no space left.
    var allowance: @Sendable () async throws -> Int64 = { .max }

    /// Appends `body` at `offset`, at most up to the length `limit`.
    /// - Parameter hasher: advanced over what is appended; nil where the upload will be hashed anew at its end.
    /// - Throws: `BlobStoreError` where writing failed.
    func take(_ body: ByteStream, at offset: Int64, hasher: MultiHasher?, limit: Int64?) async throws -> Intake {
        try await withThrowingTaskGroup(of: MultiHasher?.self) { group in
            var intake = Intake(hasher: hasher, length: offset)
            var batch = Batch()
            var running = false
            var allowed: Int64 = 0
            while let chunk = await self.next(of: body, &intake) {
                if let limit, intake.length + Int64(batch.size + chunk.readableBytes) > limit {
                    intake.excess = true
                    break
                }
                batch.append(chunk)
                guard batch.size >= Self.batchSize else { continue }
                guard await self.mayGoOn(Int64(batch.size), &allowed, &intake) else {
                    batch = Batch()
                    break
                }
                if running, let advanced = try await group.next() { intake.hasher = advanced }
                self.start(batch.buffers, at: intake.length, intake.hasher, in: &group)
                running = true
                intake.length += Int64(batch.size)
                batch = Batch()
            }
            if running, let advanced = try await group.next() { intake.hasher = advanced }
            if batch.size > 0 {
                intake.hasher = try await self.process(batch.buffers, at: intake.length, intake.hasher)
                intake.length += Int64(batch.size)
            }
            return intake
        }
    }

    /// A disk that fills up breaks the body off as a hung-up client does: what came before is written and counts.
    private func mayGoOn(_ size: Int64, _ allowed: inout Int64, _ intake: inout Intake) async -> Bool {
        do {
            if allowed <= 0 { allowed = try await self.allowance() }
            allowed -= size
            return true
        } catch {
            intake.interruption = error
            return false
        }
    }

    /// Pieces that are written together. A piece holds on to the buffer that it was received in, so that a small one is copied: a client that
    /// sends a byte at a time must not keep a thousand times as much alive.
    struct Batch {
        static let small = 16 << 10
        private(set) var buffers: [ByteBuffer] = []
        private(set) var size = 0
        private var lastIsOwn = false

        mutating func append(_ piece: ByteBuffer) {
            self.size += piece.readableBytes
            guard piece.readableBytes < Self.small else {
                self.buffers.append(piece)
                self.lastIsOwn = false
                return
            }
            if !self.lastIsOwn {
                self.buffers.append(ByteBufferAllocator().buffer(capacity: 4 * Self.small))
                self.lastIsOwn = true
            }
            self.buffers[self.buffers.count - 1].writeImmutableBuffer(piece)
        }
    }

    private func next(of body: ByteStream, _ intake: inout Intake) async -> ByteBuffer? {
        do {
            return try await body.next()
        } catch {
            intake.interruption = error
            return nil
        }
    }

    private func start(_ batch: [ByteBuffer], at offset: Int64, _ hasher: MultiHasher?, in group: inout ThrowingTaskGroup<MultiHasher?, any Error>) {
        group.addTask { try await self.process(batch, at: offset, hasher) }
    }

    private func process(_ batch: [ByteBuffer], at offset: Int64, _ hasher: MultiHasher?) async throws -> MultiHasher? {
        guard let hasher else {
            try await self.writer.write(batch, at: offset)
            return nil
        }
        async let advanced = self.compute.run {
            var hasher = hasher
            hasher.update(batch)
            return hasher
        }
        try await self.writer.write(batch, at: offset)
        return try await advanced
    }

    /// Hashes what an upload holds already, from its beginning.
    func hash(_ source: any ContentSource, length: Int64, _ algorithms: Set<ContentDigest.Algorithm>) async throws -> MultiHasher {
        var hasher = MultiHasher(algorithms)
        while hasher.length < length {
            let state = hasher
            guard let bytes = try await source.read(at: state.length, limit: Int64(Self.batchSize), on: self.compute) else {
                throw BlobStoreError(.io, "the upload is shorter than its length says")
            }
            hasher = try await self.compute.run {
                var advanced = state
                advanced.update([bytes])
                return advanced
            }
        }
        return hasher
    }
}
