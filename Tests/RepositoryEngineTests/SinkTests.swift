import ArtifactModel
import NIOCore
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
