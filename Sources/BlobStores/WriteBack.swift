import Glibc
import NIOCore

/// Begins to write what arrives to the disk while more arrives, so that the fsync at the end finds little left to do.
///
/// Linux' sync_file_range, looked up at run time: the headers show it with _GNU_SOURCE alone. Where there is none, fsync does it all.
struct WriteBack: Sendable {
    private typealias Begin = @convention(c) (CInt, off_t, off_t, CUnsignedInt) -> CInt
    /// Begun once for so many bytes; less would make many small requests of one large.
    static let stride: Int64 = 16 << 20
    /// SYNC_FILE_RANGE_WRITE: start, and wait for nothing.
    private static let startOnly: CUnsignedInt = 2

    private let begin: Begin?

    init() {
        // The type is that of the C prototype: int sync_file_range(int, off64_t, off64_t, unsigned), off_t of 64 bits.
        self.begin = dlsym(nil, "sync_file_range").map { unsafeBitCast($0, to: Begin.self) }
    }

    /// After `range` was written: starts what has become whole strides. What it cannot do, fsync does later.
    func wrote(_ range: Range<Int64>, to descriptor: CInt) {
        let start = range.lowerBound / Self.stride * Self.stride
        let end = range.upperBound / Self.stride * Self.stride
        guard end > start, let begin else { return }
        _ = begin(descriptor, off_t(start), off_t(end - start), Self.startOnly)
    }
}
