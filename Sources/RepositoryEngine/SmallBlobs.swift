import ArtifactModel
import NIOCore
import Synchronization

/// The bytes of small blobs that are asked for often (manifests, configs, POMs), by digest: they never change, so nothing has to be
/// taken back. Whether a blob may still be served is the metadata's word, asked before.
final class SmallBlobs: Sendable {
    /// Larger ones go out by sendfile, which needs no memory.
    static let largest: Int64 = 64 << 10

    private let kept: Mutex<LeastRecentlyUsed<ContentDigest, ByteBuffer>>

    /// - Parameter capacity: in bytes.
    init(capacity: Int) { self.kept = Mutex(LeastRecentlyUsed(capacity: capacity)) }

    func bytes(of digest: ContentDigest) -> ByteBuffer? { self.kept.withLock { $0.value(of: digest) } }

    func keep(_ bytes: ByteBuffer, of digest: ContentDigest) {
        self.kept.withLock { $0.insert(bytes, for: digest, cost: bytes.readableBytes + 256) }
    }
}
