import ArtifactModel
import NIOCore
import Synchronization

/// The bytes of small blobs that are asked for often (manifests, configs, POMs), by digest: they never change, so nothing has to be
/// taken back but what a verification finds bad. Whether a blob may still be served is the metadata's word, asked before.
final class SmallBlobs: Sendable {
    private struct State: Sendable {
        var epoch: UInt64 = 0
        var kept: LeastRecentlyUsed<ContentDigest, ByteBuffer>
    }

    /// Larger ones go out by sendfile, which needs no memory.
    static let largest: Int64 = 64 << 10

    private let state: Mutex<State>

    /// - Parameter capacity: in bytes.
    init(capacity: Int) { self.state = Mutex(State(kept: LeastRecentlyUsed(capacity: capacity))) }

    func bytes(of digest: ContentDigest) -> ByteBuffer? { self.state.withLock { $0.kept.value(of: digest) } }

    /// Taken before the bytes are read.
    var epoch: UInt64 { self.state.withLock { $0.epoch } }

    /// - Parameter epoch: as it was before the bytes were read; where something was forgotten since, they are not kept.
    func keep(_ bytes: ByteBuffer, of digest: ContentDigest, since epoch: UInt64) {
        self.state.withLock { if $0.epoch == epoch { $0.kept.insert(bytes, for: digest, cost: bytes.readableBytes + 256) } }
    }

    func forget(_ digest: ContentDigest) {
        self.state.withLock { state in
            state.epoch += 1
            state.kept.remove(digest)
        }
    }
}
