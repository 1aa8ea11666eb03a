import Glibc
import NIOCore
import NIOPosix

/// Reads files that are in memory already without waiting for the disk, so that an event loop may do it.
///
/// Linux answers `preadv2` with `RWF_NOWAIT` at once where the pages are not there (man 2 readv). The C library's header hides the
/// function from Swift, so it is looked up by name; without it, or on a file system that does not know the flag, nothing is known.
struct PageCache: Sendable {
    private typealias Read = @Sendable @convention(c) (CInt, UnsafePointer<iovec>, CInt, off_t, CInt) -> Int

    private static let noWait: CInt = 8
    /// Distance of the bytes that are looked at, in a region that will be sent.
    private static let step: Int64 = 512 << 10

    private let read: Read?

    init() {
        // The type is that of the C prototype: ssize_t preadv2(int, const struct iovec *, int, off_t, int), off_t of 64 bits.
        self.read = dlsym(nil, "preadv2").map { unsafeBitCast($0, to: Read.self) }
    }

    /// The bytes, where all of them are in memory; nil where the disk would have to be asked, or nothing is known.
    func bytes(_ descriptor: CInt, _ range: Range<Int64>) -> ByteBuffer? {
        var buffer = ByteBuffer()
        let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: range.count) { space in
            max(0, self.read(descriptor, at: range.lowerBound, into: UnsafeMutableRawBufferPointer(rebasing: space[..<range.count])))
        }
        return count == range.count ? buffer : nil
    }

    /// Whether the region seems to be in memory, by a look at one byte in every 512 KiB. nil: nothing is known.
    func holds(_ descriptor: CInt, _ range: Range<Int64>) -> Bool? {
        var at = range.lowerBound
        while true {
            let count = withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { self.read(descriptor, at: at, into: $0) }
            guard count == 1 else { return errno == EAGAIN || count == 0 ? false : nil }
            guard at < range.upperBound - 1 else { return true }
            at = min(at + Self.step, range.upperBound - 1)
        }
    }

    private func read(_ descriptor: CInt, at offset: Int64, into space: UnsafeMutableRawBufferPointer) -> Int {
        guard let read else {
            errno = EOPNOTSUPP
            return -1
        }
        var part = iovec(iov_base: space.baseAddress, iov_len: space.count)
        return read(descriptor, &part, 1, off_t(offset), Self.noWait)
    }
}

/// Reads that wait for the disk: on the pool only.
enum BlockingRead {
    /// - Throws: `IOError`; `ShortFile` where the file ends before `range` does.
    static func bytes(_ descriptor: CInt, _ range: Range<Int64>) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: range.count)
        while buffer.readableBytes < range.count {
            let rest = range.count - buffer.readableBytes
            let offset = range.lowerBound + Int64(buffer.readableBytes)
            let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: rest) { max(0, pread(descriptor, $0.baseAddress, rest, off_t(offset))) }
            if count == 0 { try Self.checkEnd(descriptor, at: offset) }
        }
        return buffer
    }

    /// Brings the region into memory.
    static func populate(_ descriptor: CInt, _ range: Range<Int64>) throws {
        var at = range.lowerBound
        try withUnsafeTemporaryAllocation(byteCount: 256 << 10, alignment: 16) { space in
            while at < range.upperBound {
                let count = pread(descriptor, space.baseAddress, min(space.count, Int(range.upperBound - at)), off_t(at))
                if count > 0 { at += Int64(count) } else { try Self.checkEnd(descriptor, at: at) }
            }
        }
    }

    /// Tells an interrupted read, which is tried again, from an error and from the end of the file.
    private static func checkEnd(_ descriptor: CInt, at offset: Int64) throws {
        var byte: UInt8 = 0
        let count = pread(descriptor, &byte, 1, off_t(offset))
        if count == 0 { throw ShortFile() }
        if count < 0, errno != EINTR { throw IOError(errnoCode: errno, reason: "pread") }
    }
}

/// A file that is shorter than was said when it was opened.
struct ShortFile: Error {}
