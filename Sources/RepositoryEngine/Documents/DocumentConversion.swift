import ArtifactModel
import FormatAPI
import NIOCore
import StorageAPI
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Has an upstream's document written anew, and keeps the result instead of it: through files, however long they are.
struct DocumentConversion: Sendable {
    let shelf: BlobShelf
    let scratch: ScratchFolder
    let compute: any BlockingPool

    /// - Returns: what was made of it, held like anything staged.
    func convert(_ blob: StagedBlob, by converter: any DocumentConverter) async throws -> StagedBlob {
        let input = try await self.local(blob)
        let (file, size) = try await self.compute.run { [scratch] in
            let file = try scratch.create()
            var (at, size) = (Int64(0), Int64(0))
            try converter.convert({ try Self.read(input, &at, into: $0) }) { piece in
                try file.append(piece)
                size += Int64(piece.readableBytes)
            }
            return (file, size)
        }
        return try await self.keep(FileContent(file, size: size))
    }

    /// Where it can be read without waiting for anything but the disk.
    private func local(_ blob: StagedBlob) async throws -> ContentPiece {
        if let digest = blob.digests.first(.sha256), let piece = try await self.shelf.store.open(digest)?.whole { return piece }
        let file = try await self.compute.run { [scratch] in try scratch.create() }
        var at: Int64 = 0
        while let bytes = try await blob.source.read(at: at, limit: 1 << 20, on: self.compute) {
            try await self.compute.run { try file.append(bytes) }
            at += Int64(bytes.readableBytes)
        }
        return .file(file, 0..<at)
    }

    private static func read(_ input: ContentPiece, _ at: inout Int64, into space: UnsafeMutableRawBufferPointer) throws -> Int {
        switch input {
        case .bytes(let bytes):
            let count = min(space.count, bytes.readableBytes - Int(at))
            if count > 0 { bytes.withUnsafeReadableBytes { space.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(at)..<(Int(at) + count)])) } }
            at += Int64(count)
            return count
        case .file(let file, let range):
            let limit = min(space.count, Int(range.upperBound - range.lowerBound - at))
            guard limit > 0 else { return 0 }
            while true {
                let count = pread(file.descriptor, space.baseAddress, limit, off_t(range.lowerBound + at))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw FormatError(.internalFailure, "a document could not be read while it was converted") }
                at += Int64(count)
                return count
            }
        }
    }

    private func keep(_ content: FileContent) async throws -> StagedBlob {
        try await self.shelf.admit(content.size)
        let writer = try await self.shelf.store.create()
        do {
            let (shelf, compute) = (self.shelf, self.compute)
            let sink = Sink(writer: writer, compute: compute, allowance: { try await shelf.allowance() })
            let intake = try await sink.take(ByteStream(content, on: compute), at: 0, hasher: MultiHasher([]), limit: nil)
            if let interruption = intake.interruption { throw interruption }
            guard let hasher = intake.hasher else { throw FormatError(.internalFailure, "the document was not hashed") }
            return try await shelf.keep(writer.id, hasher.digests(), size: hasher.length)
        } catch {
            // What stays behind when this fails is removed by the sweeper.
            try? await self.shelf.store.discard(writer.id)
            throw error
        }
    }
}

extension ByteStream {
    /// All of a content, as it is read.
    fileprivate init(_ content: FileContent, on compute: any BlockingPool) {
        let reading = ReadingPlace()
        self.init(length: content.size) {
            guard let bytes = try await content.read(at: reading.value, limit: 1 << 20, on: compute) else { return nil }
            reading.advance(by: Int64(bytes.readableBytes))
            return bytes
        }
    }
}

/// How far a stream has been read, by its one reader.
private final class ReadingPlace: Sendable {
    private let place = Atomic<Int64>(0)
    var value: Int64 { self.place.load(ordering: .relaxed) }
    func advance(by count: Int64) { self.place.wrappingAdd(count, ordering: .relaxed) }
}
