import CZlib
public import NIOCore
import Synchronization

/// Compresses a stream as gzip, a piece at a time. Equal bytes and levels give equal bytes, in whatever pieces they come: nothing of time and place is in it.
/// Used by one task at a time. Takes the processor: for the pool.
public final class GzipEncoder: Sendable {
    private struct State: ~Copyable {
        var stream: ZStream
        var isAtEnd = false
    }
    private let state: Mutex<State>

    /// - Parameter level: 1, fast, to 9, small.
    public init(level: Int) {
        precondition((1...9).contains(level), "gzip knows the levels 1 to 9")
        self.state = Mutex(State(stream: ZStream({ czlib_deflate_init($0, CInt(level), 15 + 16, 8) }, free: { deflateEnd($0) })))
    }

    /// To be called until there is nil: then the input is used up.
    /// - Parameter isLast: nothing comes after this input.
    /// - Returns: 1 byte to 256 KiB.
    public func encode(_ input: inout ByteBuffer, isLast: Bool) -> ByteBuffer? {
        self.state.withLock { state in
            guard !state.isAtEnd else { return nil }
            var output = ByteBuffer()
            let result = state.stream.run(&input, into: &output) { deflate($0, isLast ? Z_FINISH : Z_NO_FLUSH) }
            // Z_BUF_ERROR: there was nothing to do.
            precondition(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR, "zlib cannot compress: \(result)")
            state.isAtEnd = result == Z_STREAM_END
            return output.readableBytes > 0 ? output : nil
        }
    }
}

extension ByteBuffer {
    /// The whole as gzip, for documents that are small by nature. Takes the processor: for the pool.
    public func gzipped(level: Int) -> ByteBuffer {
        let encoder = GzipEncoder(level: level)
        var (input, output) = (self, ByteBuffer())
        while var piece = encoder.encode(&input, isLast: true) {
            if output.readableBytes == 0 { output = piece } else { output.writeBuffer(&piece) }
        }
        return output
    }
}
