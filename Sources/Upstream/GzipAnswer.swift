import ArtifactModel
import Compression
import FormatAPI
import HTTPTypes
import NIOCore
import Outbound
import RepositoryEngine
import Synchronization

/// The body of an answer that its upstream compressed, as it is without that: decompressed on the pool, as it is pulled.
///
/// A `Mutex` beside the contract that there is one reader at a time: nothing is held while anything is waited for.
final class GzipAnswer: Sendable {
    struct Limits: Hashable, Sendable {
        /// In bytes, decompressed.
        var largest: Int64 = 1 << 30
        /// As many times what came, and `slack` bytes: gzip itself reaches 1032.
        var ratio: Int64 = 1100
        var slack: Int64 = 1 << 20
    }
    private struct State {
        var input = ByteBuffer()
        /// All that the input comes to has been taken.
        var isDrained = true
        var received: Int64 = 0
        var given: Int64 = 0
    }

    private let decoder = GzipDecoder()
    private let state = Mutex(State())
    private let body: ByteStream
    private let origin: String
    private let compute: any BlockingPool
    private let limits: Limits

    /// - Parameter body: throws `UpstreamError`.
    init(_ body: ByteStream, from origin: String, on compute: any BlockingPool, _ limits: Limits = Limits()) {
        self.body = body
        self.origin = origin
        self.compute = compute
        self.limits = limits
    }

    /// Whether a request asks for it. Never with a range, which would be one of the compressed bytes.
    static func isWanted(_ request: UpstreamRequest) -> Bool { request.resource.mayBeCompressed && request.part == .whole && request.method == .get }

    /// Whether it is one that was asked for.
    static func isOne(_ status: HTTPResponse.Status, _ headers: HTTPFields, to request: UpstreamRequest) -> Bool {
        guard status == .ok, Self.isWanted(request), let coding = headers[.contentEncoding]?.lowercased() else { return false }
        // RFC 9110, 8.4.1.3.
        return coding == "gzip" || coding == "x-gzip"
    }

    /// Without what is said of the compressed bytes; its entity tag stays, for the upstream to be asked with.
    static func plain(_ headers: HTTPFields) -> HTTPFields {
        var headers = headers
        headers[.contentEncoding] = nil
        headers[.contentLength] = nil
        return headers
    }

    /// - Throws: `UpstreamError`: `.cut` where it ends in the middle, `.badAnswer` where it is no gzip or comes to too much.
    func next() async throws -> ByteBuffer? {
        while true {
            if let piece = try await self.piece() { return piece }
            guard let chunk = try await self.body.next() else {
                do { try self.decoder.finish() } catch { throw self.error(error) }
                return nil
            }
            self.state.withLock { state in
                state.input = chunk
                state.isDrained = false
                state.received += Int64(chunk.readableBytes)
            }
        }
    }

    /// nil: there is no more in what has come.
    private func piece() async throws -> ByteBuffer? {
        let (input, isDrained) = self.state.withLock { ($0.input, $0.isDrained) }
        guard !isDrained else { return nil }
        let (piece, rest) = try await self.decode(input)
        let (given, received) = self.state.withLock { state in
            state.input = rest
            state.isDrained = piece == nil
            state.given += Int64(piece?.readableBytes ?? 0)
            return (state.given, state.received)
        }
        guard given <= self.limits.largest, given <= self.limits.ratio * received + self.limits.slack else {
            throw UpstreamError(.trouble(.badAnswer), "\(self.origin) sent \(received) compressed bytes that come to more than \(given), which is too much")
        }
        return piece
    }

    private func decode(_ input: ByteBuffer) async throws -> (ByteBuffer?, rest: ByteBuffer) {
        do {
            return try await self.compute.run { [decoder] in
                var rest = input
                return (try decoder.decode(&rest), rest)
            }
        } catch let error as GzipError {
            throw self.error(error)
        } catch {
            throw UpstreamError(.cancelled, "the server is ending", cause: error)
        }
    }

    private func error(_ error: GzipError) -> UpstreamError {
        switch error {
        case .truncated: UpstreamError(.trouble(.cut), "the compressed answer of \(self.origin) ends in the middle", cause: error)
        case .corrupt: UpstreamError(.trouble(.badAnswer), "what \(self.origin) sent as gzip is damaged or none", cause: error)
        case .trailing: UpstreamError(.trouble(.badAnswer), "\(self.origin) sent something behind the end of its gzip", cause: error)
        }
    }
}
