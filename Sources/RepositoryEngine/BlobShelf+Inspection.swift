public import ArtifactModel
import FormatAPI
import NIOCore
import StorageAPI

/// What a verification asks of a store's bytes.
public enum BlobHealth: Hashable, Sendable {
    case absent
    /// They hash to their name. In bytes.
    case good(Int64)
    /// They do not, or the disk does not give them.
    case bad(Int64)
}

extension BlobShelf {
    /// Reads and hashes a blob in batches of 1 MiB, each one hop to `compute`.
    /// - Parameter progress: told of each batch, in bytes.
    /// - Throws: `BlobStoreError` where the store does not answer; `CancellationError`.
    public func inspect(_ digest: ContentDigest, on compute: any BlockingPool, progress: (Int64) async -> Void = { _ in }) async throws -> BlobHealth {
        let source: any ContentSource
        do {
            guard let opened = try await self.store.open(digest) else { return .absent }
            source = opened
        } catch {
            // A folder or a file that the disk does not give: the others are looked at all the same.
            guard error.code == .io else { throw error }
            return .bad(0)
        }
        var hasher = MultiHasher([])
        do {
            while let (advanced, bytes) = try await Self.advance(hasher, over: source, on: compute) {
                try Task.checkCancellation()
                hasher = advanced
                await progress(Int64(bytes.readableBytes))
            }
        } catch let error as FileReadError where error.isDamage {
            return .bad(source.length ?? hasher.length)
        }
        return hasher.digests().first == digest ? .good(hasher.length) : .bad(hasher.length)
    }

    /// Brings the bytes of `digest` from another store, hashed on the way; what is here under that name is replaced at the end. Only
    /// while `mending` the digest.
    /// - Returns: how many; nil: the other store does not have them, or not in good order, and nothing was changed here.
    public func fetch(_ digest: ContentDigest, from other: BlobShelf, on compute: any BlockingPool) async throws -> Int64? {
        let source: any ContentSource
        do {
            guard let opened = try await other.store.open(digest) else { return nil }
            source = opened
        } catch {
            guard error.code == .io else { throw error }
            return nil
        }
        let writer = try await self.store.create()
        do {
            var hasher = MultiHasher([])
            while let (advanced, bytes) = try await Self.advance(hasher, over: source, on: compute) {
                try Task.checkCancellation()
                try await writer.write([bytes], at: hasher.length)
                hasher = advanced
            }
            if hasher.digests().first == digest {
                try await self.store.seal(writer.id, as: digest, length: hasher.length, .durable)
                return hasher.length
            }
        } catch {
            // What stays is the sweeper's; the first error is the one to tell.
            try? await self.store.discard(writer.id)
            if error is FileReadError { return nil }
            throw error
        }
        try await self.store.discard(writer.id)
        return nil
    }

    /// Runs `work` while no writer seals this digest.
    /// - Throws: what `work` throws; `CancellationError` while waiting.
    public func mending<Result: Sendable>(_ digest: ContentDigest, _ work: () async throws -> Result) async throws -> Result {
        try await self.mends.mending(digest, work)
    }

    private static func advance(
        _ hasher: MultiHasher, over source: any ContentSource, on compute: any BlockingPool
    ) async throws -> (MultiHasher, ByteBuffer)? {
        guard let piece = try await source.next(at: hasher.length, limit: Int64(Sink.batchSize)) else { return nil }
        return try await compute.run {
            var advanced = hasher
            let bytes =
                switch piece {
                case .bytes(let bytes): bytes
                case .file(let file, let range): try file.read(range)
                }
            advanced.update([bytes])
            return (advanced, bytes)
        }
    }
}
