import ArtifactModel
import BlobStores
import BlockingWork
import FormatAPI
import FormatTestKit
import NIOCore
import StorageAPI
import Synchronization
import Testing

@testable import RepositoryEngine

@Suite struct SinkTests {
    @Test("a batch of single bytes holds on to little more than its bytes")
    func smallPieces() {
        var batch = Sink.Batch()
        for number in 0..<100_000 {
            // As a slice of a receive buffer comes.
            var received = ByteBufferAllocator().buffer(capacity: 1024)
            received.writeInteger(UInt8(truncatingIfNeeded: number))
            batch.append(received)
        }
        #expect(batch.size == 100_000)
        #expect(batch.buffers.reduce(0) { $0 + $1.readableBytes } == 100_000)
        #expect(batch.buffers.reduce(0) { $0 + $1.capacity } <= 4 * 100_000)
    }

    @Test("small and large pieces stay in order")
    func order() {
        var batch = Sink.Batch()
        let pieces = [ByteBuffer(string: "a"), ByteBuffer(string: "b"), ByteBuffer(repeating: 7, count: 20_000), ByteBuffer(string: "c")]
        for piece in pieces { batch.append(piece) }
        #expect(batch.buffers.count == 3)
        #expect(batch.buffers.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) } == pieces.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) })
    }
}

@Suite struct SinkSpaceTests {
    @Test("a disk that fills up breaks the body off, and what came before is written and counts")
    func filling() async throws {
        let store = MemoryBlobStore(clock: { Timestamp(milliseconds: 0) })
        let writer = try await store.create()
        let looks = Mutex(0)
        let sink = Sink(
            writer: writer, compute: ThreadPool(threads: 2),
            allowance: {
                guard
                    looks.withLock({ looks in
                        looks += 1
                        return looks <= 2
                    })
                else { throw FormatError(.noSpace, "full") }
                return 2 << 20
            })
        let piece = ByteBuffer(repeating: 7, count: 1 << 19)
        let intake = try await sink.take(.chunks(Array(repeating: piece, count: 20), declaresLength: false), at: 0, hasher: MultiHasher([]), limit: nil)
        #expect((intake.interruption as? FormatError)?.code == .noSpace)
        #expect(intake.length == 4 << 20)
        #expect(intake.hasher?.length == 4 << 20)
        #expect(try await writer.length() == 4 << 20)
    }
}
