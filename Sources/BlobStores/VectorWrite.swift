import NIOCore
import StorageAPI

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Writes buffers one after the other with as few `pwritev` as the system allows.
enum VectorWrite {
    /// Linux' IOV_MAX, which is a macro with a cast.
    private static let mostVectors = 1024

    static func write(_ batch: [ByteBuffer], to descriptor: CInt, at offset: Int64) throws(BlobStoreError) {
        var offset = offset
        var rest = batch.filter { $0.readableBytes > 0 }[...]
        while !rest.isEmpty {
            let written = try Self.once(rest.prefix(Self.mostVectors), to: descriptor, at: offset)
            offset += Int64(written)
            Self.drop(written, from: &rest)
        }
    }

    /// A write may be short: the disk is nearly full, or a signal came.
    private static func drop(_ written: Int, from rest: inout ArraySlice<ByteBuffer>) {
        var written = written
        while let first = rest.first, written >= first.readableBytes {
            written -= first.readableBytes
            rest.removeFirst()
        }
        if written > 0 { rest[rest.startIndex].moveReaderIndex(forwardBy: written) }
    }

    private static func once(_ buffers: ArraySlice<ByteBuffer>, to descriptor: CInt, at offset: Int64) throws(BlobStoreError) -> Int {
        var vectors: [iovec] = []
        vectors.reserveCapacity(buffers.count)
        let result = Self.gather(buffers, &vectors) { vectors in
            while true {
                let count = pwritev(descriptor, vectors, CInt(vectors.count), off_t(offset))
                if count >= 0 || errno != EINTR { return count }
            }
        }
        guard result > 0 else { throw FileSystem.error("writing \(buffers.count) buffers at \(offset)") }
        return result
    }

    /// Nests the buffers' `withUnsafeReadableBytes`, as their pointers are valid only inside.
    private static func gather(_ buffers: ArraySlice<ByteBuffer>, _ vectors: inout [iovec], _ call: ([iovec]) -> Int) -> Int {
        guard let first = buffers.first else { return call(vectors) }
        return first.withUnsafeReadableBytes { bytes in
            vectors.append(iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count))
            return Self.gather(buffers.dropFirst(), &vectors, call)
        }
    }
}
