import ArtifactModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reads a segment line by line in bounded memory, however long the segment or a line of it is.
struct SegmentLines {
    /// More than twice the longest line: one is always whole within it.
    private static let window = 512 << 10

    private let files: any AuditFiles
    private let file: CInt

    init(_ files: any AuditFiles, _ file: CInt) {
        self.files = files
        self.file = file
    }

    enum Line {
        /// Without its newline.
        case whole(UnsafeRawBufferPointer)
        /// Longer than a line can be; its bytes are not looked at.
        case tooLong
        /// The last bytes, without a newline.
        case open(UnsafeRawBufferPointer)
    }

    /// - Parameter progress: told how many bytes were read, after each read; what it throws ends the reading.
    func forEach(_ body: (Line) throws -> Void, progress: (Int) throws -> Void = { _ in }) throws {
        var bytes = [UInt8](repeating: 0, count: Self.window)
        var (held, offset, isSkipping) = (0, Int64(0), false)
        while true {
            let count = try bytes.withUnsafeMutableBytes { bytes in
                try self.files.read(self.file, at: offset, into: UnsafeMutableRawBufferPointer(rebasing: bytes[held...]))
            }
            if count == 0 { break }
            offset += Int64(count)
            held += count
            let used = try bytes.withUnsafeBytes { try Self.lines(in: UnsafeRawBufferPointer(rebasing: $0[..<held]), &isSkipping, body) }
            bytes.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer($0)[used..<held])) }
            held -= used
            if held > LineMaker.mostBytes {
                isSkipping = true
                held = 0
            }
            try progress(count)
        }
        if isSkipping { return try body(.tooLong) }
        if held > 0 { try bytes.withUnsafeBytes { try body(.open(UnsafeRawBufferPointer(rebasing: $0[..<held]))) } }
    }

    /// - Parameter isSkipping: whether the line that is being read is too long.
    /// - Returns: how many bytes the lines took.
    private static func lines(in bytes: UnsafeRawBufferPointer, _ isSkipping: inout Bool, _ body: (Line) throws -> Void) throws -> Int {
        var start = 0
        while let end = Self.newline(in: bytes, from: start) {
            if isSkipping || end - start > LineMaker.mostBytes {
                try body(.tooLong)
            } else {
                try body(.whole(UnsafeRawBufferPointer(rebasing: bytes[start..<end])))
            }
            isSkipping = false
            start = end + 1
        }
        return start
    }

    private static func newline(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < bytes.count, let base = bytes.baseAddress, let found = memchr(base + start, CInt(UInt8(ascii: "\n")), bytes.count - start) else {
            return nil
        }
        return UnsafeRawPointer(found) - base
    }
}
