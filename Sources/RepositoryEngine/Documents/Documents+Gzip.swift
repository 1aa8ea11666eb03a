import ArtifactModel
import Compression
import FormatAPI
import NIOCore
import Synchronization

/// The compressed form of what is rendered: made once for each rendering, where somebody asks for it, and kept beside it.
extension Documents {
    /// In bytes: what is smaller gains nothing by it.
    private static let leastCompressed: Int64 = 1 << 10
    /// What is larger is not waited for: who asks first gets it as it is.
    private static let mostAtOnce: Int64 = 256 << 10

    func gzip(
        of rendering: Rendering, _ flight: Flight, on compute: any BlockingPool,
        _ start: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Bool
    ) -> Content.Gzip? {
        guard rendering.size >= Self.leastCompressed else { return nil }
        let flight = Flight(key: flight.key.compressed, stamp: flight.stamp)
        return {
            if let kept = self.compressed(flight) { return kept.bytes }
            let make: @Sendable () async throws -> Rendering = {
                // Made between the look and now.
                if let kept = self.compressed(flight) { return kept }
                let compressed = try await rendering.compressed(on: compute, self.scratch)
                self.shelf.withLock { $0.keep(compressed, flight.key, flight.stamp) }
                return compressed
            }
            guard rendering.size <= Self.mostAtOnce else {
                self.compressing.prepare(flight, start: start, make)
                return nil
            }
            do {
                return try await self.compressing.value(flight, start: start, make).bytes
            } catch is FormatError {
                // No room, or no time: the document itself is there.
                return nil
            }
        }
    }

    private func compressed(_ flight: Flight) -> Rendering? { self.shelf.withLock { $0.rendering(flight.key, flight.stamp) } ?? nil }
}

extension Rendering {
    private static let piece: Int64 = 256 << 10
    /// Measured with packuments: a twentieth is gained over the level before, and the levels after gain less than they cost.
    private static let (level, levelOfLarge) = (5, 4)

    /// The same as gzip; its digest is that of what it is made of.
    func compressed(on compute: any BlockingPool, _ scratch: ScratchFolder) async throws -> Rendering {
        let encoder = GzipEncoder(level: self.size < 1 << 20 ? Self.level : Self.levelOfLarge)
        var (at, size) = (Int64(0), Int64(0))
        var (buffer, file) = (ByteBuffer(), OpenFile?.none)
        while at < self.size {
            guard let bytes = try await self.bytes.read(at: at, limit: min(Self.piece, self.size - at), on: compute), bytes.readableBytes > 0 else {
                throw DocumentChanged()
            }
            at += Int64(bytes.readableBytes)
            let (isLast, before) = (at >= self.size, (buffer, file))
            let after = try await compute.run {
                var (buffer, file) = before
                let count = try encoder.encode(bytes, isLast: isLast, into: &buffer, &file, scratch)
                return (buffer, file, count)
            }
            (buffer, file) = (after.0, after.1)
            size += after.2
        }
        return Rendering(digests: self.digests, size: size, bytes: file.map { FileContent($0, size: size) } ?? MemoryContent(buffer))
    }
}

extension GzipEncoder {
    /// Into the buffer as long as all of it has room in memory, else into the file. Blocks: for the pool.
    /// - Returns: how many bytes.
    fileprivate func encode(
        _ bytes: ByteBuffer, isLast: Bool, into buffer: inout ByteBuffer, _ file: inout OpenFile?, _ scratch: ScratchFolder
    ) throws -> Int64 {
        var (bytes, count) = (bytes, Int64(0))
        while var piece = self.encode(&bytes, isLast: isLast) {
            count += Int64(piece.readableBytes)
            buffer.writeBuffer(&piece)
            guard buffer.readableBytes >= 256 << 10 else { continue }
            let target = try file ?? scratch.create()
            file = target
            try target.append(buffer)
            buffer.clear()
        }
        if isLast, let file { try file.append(buffer) }
        return count
    }
}
