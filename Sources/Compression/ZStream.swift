import CZlib
import NIOCore

/// zlib's state, at one address as long as it lives: zlib itself points back to it.
struct ZStream: ~Copyable {
    /// In bytes: what one call gives at most, however little was given to it.
    static let piece = 256 << 10
    private static let step = 64 << 10

    let state: UnsafeMutablePointer<z_stream>
    private let free: (UnsafeMutablePointer<z_stream>) -> CInt

    /// Memory that cannot be had ends the process, like everywhere in Swift.
    init(_ begin: (UnsafeMutablePointer<z_stream>) -> CInt, free: @escaping (UnsafeMutablePointer<z_stream>) -> CInt) {
        self.state = .allocate(capacity: 1)
        self.state.initialize(to: z_stream())
        self.free = free
        let result = begin(self.state)
        precondition(result == Z_OK, "zlib cannot begin: \(result)")
    }

    deinit {
        _ = self.free(self.state)
        self.state.deinitialize(count: 1)
        self.state.deallocate()
    }

    /// Goes on until the input is used up, a piece is full, or `work` says something else than that all is well.
    /// - Parameter work: `inflate` or `deflate`.
    /// - Returns: what it said last; Z_BUF_ERROR where nothing is left to be done.
    func run(_ input: inout ByteBuffer, into output: inout ByteBuffer, _ work: (UnsafeMutablePointer<z_stream>) -> CInt) -> CInt {
        var result = Z_OK
        while result == Z_OK, output.readableBytes < Self.piece {
            result = self.step(&input, into: &output, work)
            // Room that is left: it waits for more.
            if self.state.pointee.avail_out > 0 { break }
        }
        return result
    }

    private func step(_ input: inout ByteBuffer, into output: inout ByteBuffer, _ work: (UnsafeMutablePointer<z_stream>) -> CInt) -> CInt {
        let state = self.state
        let room = min(Self.step, Self.piece - output.readableBytes)
        var result = Z_OK
        input.readWithUnsafeReadableBytes { bytes in
            let given = min(bytes.count, 1 << 30)
            state.pointee.next_in = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            state.pointee.avail_in = UInt32(given)
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { free in
                state.pointee.next_out = free.baseAddress?.assumingMemoryBound(to: UInt8.self)
                state.pointee.avail_out = UInt32(room)
                result = work(state)
                return room - Int(state.pointee.avail_out)
            }
            return given - Int(state.pointee.avail_in)
        }
        // They point to memory that is not theirs any more.
        state.pointee.next_in = nil
        state.pointee.next_out = nil
        return result
    }
}
