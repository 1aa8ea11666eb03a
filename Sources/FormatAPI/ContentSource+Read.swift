public import ArtifactModel
public import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension ContentSource {
    /// The next bytes at `offset`, at most `limit`, in memory; files are read on the pool. nil at the end.
    public func read(at offset: Int64, limit: Int64, on pool: any BlockingPool) async throws -> ByteBuffer? {
        switch try await self.next(at: offset, limit: limit) {
        case nil: return nil
        case .bytes(let bytes): return bytes
        case .file(let file, let range): return try await pool.run { try file.read(range) }
        }
    }

    /// All of it, for content that is known to be small.
    public func readAll(_ size: Int64, on pool: any BlockingPool) async throws -> ByteBuffer {
        var whole = ByteBuffer()
        while Int64(whole.readableBytes) < size {
            guard var piece = try await self.read(at: Int64(whole.readableBytes), limit: size - Int64(whole.readableBytes), on: pool) else { break }
            if whole.readableBytes == 0 { whole = piece } else { whole.writeBuffer(&piece) }
        }
        return whole
    }
}

/// `pread` failed, or the file is shorter than it was: `errno` is 0 then.
public struct FileReadError: Error {
    public let errno: CInt

    /// Whether it says something about the file, as against the moment.
    public var isDamage: Bool { self.errno == 0 || self.errno == EIO }
}

extension OpenFile {
    /// Blocks: for the pool.
    public func read(_ range: Range<Int64>) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: range.count)
        while buffer.readableBytes < range.count {
            let offset = range.lowerBound + Int64(buffer.readableBytes)
            let wanted = range.count - buffer.readableBytes
            var failure: CInt = 0
            let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { bytes in
                let count = pread(self.descriptor, bytes.baseAddress, wanted, off_t(offset))
                if count < 0 { failure = errno }
                return max(0, count)
            }
            guard count > 0 || failure == EINTR else { throw FileReadError(errno: failure) }
        }
        return buffer
    }
}
