import CZlib
public import NIOCore
import Synchronization

/// Decompresses a stream of gzip, of several members too, or of zlib, a piece at a time. Used by one task at a time. Takes the processor: for the pool.
public final class GzipDecoder: Sendable {
    private struct State: ~Copyable {
        var stream: ZStream
        /// Whole ones.
        var members = 0
        /// Nothing has come since the last one.
        var isBetween = false
        var failure: GzipError?
    }
    private let state: Mutex<State>

    public init() {
        // 15 bits of window, and 32: the header says which of the two it is.
        self.state = Mutex(State(stream: ZStream({ czlib_inflate_init($0, 15 + 32) }, free: { inflateEnd($0) })))
    }

    /// To be called until there is nil: then the input is used up.
    /// - Returns: 1 byte to 256 KiB, however much the input comes to.
    /// - Throws: `.corrupt`, `.trailing`; again at each further call.
    public func decode(_ input: inout ByteBuffer) throws(GzipError) -> ByteBuffer? {
        let result: Result<ByteBuffer?, GzipError> = self.state.withLock { state in
            if let failure = state.failure { return .failure(failure) }
            var output = ByteBuffer()
            // A member may be empty.
            repeat {
                if let failure = Self.advance(&state, &input, &output) {
                    state.failure = failure
                    return .failure(failure)
                }
            } while state.isBetween && input.readableBytes > 0 && output.readableBytes < ZStream.piece
            return .success(output.readableBytes > 0 ? output : nil)
        }
        return try result.get()
    }

    private static func advance(_ state: inout State, _ input: inout ByteBuffer, _ output: inout ByteBuffer) -> GzipError? {
        if state.isBetween {
            guard input.readableBytes > 0 else { return nil }
            inflateReset(state.stream.state)
            state.isBetween = false
        }
        switch state.stream.run(&input, into: &output, { inflate($0, Z_NO_FLUSH) }) {
        // Z_BUF_ERROR: there was nothing to do.
        case Z_OK, Z_BUF_ERROR: return nil
        case Z_STREAM_END:
            state.members += 1
            state.isBetween = true
            return nil
        case Z_MEM_ERROR: preconditionFailure("zlib has no memory")
        default:
            // Not even the first words of a header.
            let isHeader = state.stream.state.pointee.total_in <= 4 && state.stream.state.pointee.total_out == 0
            return state.members > 0 && isHeader ? .trailing : .corrupt
        }
    }

    /// To be called where no more comes, after all was decoded.
    /// - Throws: `.truncated`, and what `decode` threw.
    public func finish() throws(GzipError) {
        let failure = self.state.withLock { $0.failure ?? ($0.isBetween ? nil : .truncated) }
        if let failure { throw failure }
    }
}
