public import NIOCore
import Synchronization

/// A body, pulled once, chunks as they come; nil at its end.
///
/// A closure and not an AsyncSequence: a second iterator over a NIO body traps. One reader at a time.
public struct ByteStream: Sendable {
    public let next: @Sendable () async throws -> ByteBuffer?
    /// In bytes, where the sender declared it.
    public let length: Int64?

    public init(length: Int64?, next: @escaping @Sendable () async throws -> ByteBuffer?) {
        self.length = length
        self.next = next
    }

    /// Bytes that are here already.
    public static func once(_ bytes: ByteBuffer) -> ByteStream {
        let chunk = OneChunk(bytes)
        return ByteStream(length: Int64(bytes.readableBytes)) { chunk.take() }
    }

    public static let empty = ByteStream(length: 0) { nil }

    /// The whole body, for documents that are small by nature.
    /// - Returns: nil where it is longer than `limit` bytes; it is not read to its end then.
    public func collect(upTo limit: Int) async throws -> ByteBuffer? {
        if let length, length > Int64(limit) { return nil }
        var whole = ByteBuffer()
        while var chunk = try await self.next() {
            guard whole.readableBytes + chunk.readableBytes <= limit else { return nil }
            if whole.readableBytes == 0 { whole = chunk } else { whole.writeBuffer(&chunk) }
        }
        return whole
    }
}

private final class OneChunk: Sendable {
    private let chunk: Mutex<ByteBuffer?>

    init(_ chunk: ByteBuffer) { self.chunk = Mutex(chunk) }

    func take() -> ByteBuffer? {
        self.chunk.withLock { chunk in
            defer { chunk = nil }
            return chunk.flatMap { $0.readableBytes > 0 ? $0 : nil }
        }
    }
}
