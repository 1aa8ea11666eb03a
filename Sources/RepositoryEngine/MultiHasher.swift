import ArtifactModel
import NIOCore

import struct Crypto.SHA256
import struct Crypto.SHA512
import enum Crypto.Insecure

/// SHA-256 always, and beside it only what a format asked for: four digests cost four times the time of one.
/// A value: a copy goes to the pool with a batch and comes back advanced.
struct MultiHasher: Sendable {
    let algorithms: Set<ContentDigest.Algorithm>
    private(set) var length: Int64 = 0
    private var sha256 = SHA256()
    private var sha512: SHA512?
    private var sha1: Insecure.SHA1?
    private var md5: Insecure.MD5?

    init(_ algorithms: Set<ContentDigest.Algorithm>) {
        self.algorithms = algorithms.union([.sha256])
        if algorithms.contains(.sha512) { self.sha512 = SHA512() }
        if algorithms.contains(.sha1) { self.sha1 = Insecure.SHA1() }
        if algorithms.contains(.md5) { self.md5 = Insecure.MD5() }
    }

    mutating func update(_ batch: [ByteBuffer]) {
        for buffer in batch {
            self.length += Int64(buffer.readableBytes)
            buffer.withUnsafeReadableBytes { bytes in
                self.sha256.update(bufferPointer: bytes)
                self.sha512?.update(bufferPointer: bytes)
                self.sha1?.update(bufferPointer: bytes)
                self.md5?.update(bufferPointer: bytes)
            }
        }
    }

    /// SHA-256 first.
    func digests() -> [ContentDigest] {
        [
            ContentDigest(.sha256, self.sha256.finalize()),
            self.sha512.flatMap { ContentDigest(.sha512, $0.finalize()) },
            self.sha1.flatMap { ContentDigest(.sha1, $0.finalize()) },
            self.md5.flatMap { ContentDigest(.md5, $0.finalize()) },
        ].compactMap { $0 }
    }
}
