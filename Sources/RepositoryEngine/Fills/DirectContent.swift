import HTTPTypes
import ArtifactModel
import FormatAPI
import NIOCore
import Synchronization

/// An upstream's answer passed on and not kept, for one reader that goes forward.
final class DirectContent: ContentSource {
    private struct State {
        var next: Int64
        var body: ByteStream?
        /// Received beyond the last piece.
        var rest: ByteBuffer?
    }

    private let upstream: any UpstreamClient
    private let resource: UpstreamResource
    private let kind: UpstreamRequest.Kind
    let length: Int64?
    /// Where the reader will stop, exclusive; nil: at the end.
    private let end: Int64?
    private let state: Mutex<State>

    init(_ upstream: any UpstreamClient, _ resource: UpstreamResource, _ kind: UpstreamRequest.Kind, length: Int64?, from offset: Int64, to end: Int64?) {
        self.upstream = upstream
        self.resource = resource
        self.kind = kind
        self.length = length
        self.end = end
        self.state = Mutex(State(next: offset))
    }

    /// One call at a time, each where the last one ended; another place begins a request of its own.
    func next(at offset: Int64, limit: Int64) async throws -> ContentPiece? {
        if let length, offset >= length { return nil }
        do {
            return try await self.piece(at: offset, limit: limit).map(ContentPiece.bytes)
        } catch let error as UpstreamError {
            throw FormatError(error)
        }
    }

    private func piece(at offset: Int64, limit: Int64) async throws -> ByteBuffer? {
        var (body, rest) = self.state.withLock { ($0.next == offset ? $0.body : nil, $0.next == offset ? $0.rest : nil) }
        if body == nil {
            body = try await self.begin(at: offset)
            rest = nil
        }
        if rest == nil { rest = try await body?.next() }
        guard var bytes = rest else { return nil }
        let piece = bytes.readSlice(length: Int(min(Int64(bytes.readableBytes), limit))) ?? bytes
        self.state.withLock { state in
            state.next = offset + Int64(piece.readableBytes)
            state.body = body
            state.rest = bytes.readableBytes > 0 ? bytes : nil
        }
        return piece
    }

    private func begin(at offset: Int64) async throws -> ByteStream {
        let end = self.end.flatMap { $0 > offset ? $0 : nil }
        let part: UpstreamRequest.Part = offset == 0 && end == nil ? .whole : .from(offset, to: end)
        let answer = try await self.upstream.send(UpstreamRequest(.get, self.resource, part: part, kind: self.kind))
        let head = try AnswerHead(answer, for: self.resource)
        if let length, let now = head.length, now != length { throw FormatError(FillFailure.changed) }
        if head.from == offset { return answer.body }
        guard head.from == 0 else { throw FormatError(.upstreamFailed, "the upstream answered with another range than it was asked for") }
        return try await Self.skipping(offset, of: answer.body)
    }

    /// The upstream does not know ranges: what is before `offset` is thrown away.
    private static func skipping(_ offset: Int64, of body: ByteStream) async throws -> ByteStream {
        var left = offset
        while left > 0 {
            guard var chunk = try await body.next() else { throw FormatError(FillFailure.changed) }
            guard Int64(chunk.readableBytes) > left else {
                left -= Int64(chunk.readableBytes)
                continue
            }
            chunk.moveReaderIndex(forwardBy: Int(left))
            let first = FirstChunk(chunk)
            return ByteStream(length: nil) { if let chunk = first.take() { chunk } else { try await body.next() } }
        }
        return body
    }
}

private final class FirstChunk: Sendable {
    private let chunk: Mutex<ByteBuffer?>
    init(_ chunk: ByteBuffer?) { self.chunk = Mutex(chunk) }

    func take() -> ByteBuffer? {
        self.chunk.withLock { chunk in
            defer { chunk = nil }
            return chunk
        }
    }
}
