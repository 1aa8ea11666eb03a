public import NIOCore

/// Where a response's bytes come from: a stored file, an object of a remote store, bytes in memory. WebServer's only way to them.
public protocol ContentSource: Sendable {
    /// In bytes. nil: known when it ends.
    var length: Int64? { get }
    /// The next piece at `offset`, at least a byte and at most `limit`; waits while it has not arrived; nil at the end.
    /// - Throws: the answer has begun by then, so the connection is reset.
    func next(at offset: Int64, limit: Int64) async throws -> ContentPiece?
    /// Where the client may be sent instead: a URL that holds for `lifetime`. nil: nowhere.
    func redirect(lifetime: Duration) async throws -> String?
    /// All of it in one piece that does not change, where it is at hand: what is in memory, or a finished file that is open. nil: it is read by `next`.
    var whole: ContentPiece? { get }
}

extension ContentSource {
    public func redirect(lifetime: Duration) async throws -> String? { nil }
    public var whole: ContentPiece? { nil }
}

public enum ContentPiece: Sendable {
    case bytes(ByteBuffer)
    /// sendfile on plain connections, `pread` on the pool on others. Holding it keeps the descriptor open.
    case file(OpenFile, Range<Int64>)
}

/// A descriptor shared by its readers; positionless. The last release closes it by `close`, which must not block an event loop:
/// closing an unlinked file of gigabytes takes long.
public final class OpenFile: Sendable {
    public let descriptor: CInt
    private let close: @Sendable (CInt) -> Void

    public init(_ descriptor: CInt, close: @escaping @Sendable (CInt) -> Void) {
        self.descriptor = descriptor
        self.close = close
    }

    deinit { self.close(self.descriptor) }
}

/// Bytes that are in memory already: a rendered page, a small blob.
public struct MemoryContent: ContentSource {
    public let bytes: ByteBuffer
    public init(_ bytes: ByteBuffer) { self.bytes = bytes }

    public var length: Int64? { Int64(self.bytes.readableBytes) }
    public var whole: ContentPiece? { .bytes(self.bytes) }

    public func next(at offset: Int64, limit: Int64) async throws -> ContentPiece? {
        let rest = Int64(self.bytes.readableBytes) - offset
        guard rest > 0, let slice = self.bytes.getSlice(at: self.bytes.readerIndex + Int(offset), length: Int(min(rest, limit))) else { return nil }
        return .bytes(slice)
    }
}

/// A whole open file of known length.
public struct FileContent: ContentSource {
    public let file: OpenFile
    public let size: Int64
    public init(_ file: OpenFile, size: Int64) {
        self.file = file
        self.size = size
    }

    public var length: Int64? { self.size }
    /// What is still written has no size yet.
    public var whole: ContentPiece? { self.size < .max ? .file(self.file, 0..<self.size) : nil }

    public func next(at offset: Int64, limit: Int64) async throws -> ContentPiece? {
        offset < self.size ? .file(self.file, offset..<min(self.size, offset + limit)) : nil
    }
}
