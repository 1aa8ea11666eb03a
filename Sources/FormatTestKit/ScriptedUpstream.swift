import ArtifactModel
public import FormatAPI

import HTTPTypes
public import NIOCore
public import RepositoryEngine
import Synchronization

/// An upstream without sockets: files by their address, answered as a script says.
public final class ScriptedUpstream: UpstreamClient {
    /// What happens to one request, in the order in which they come; then everything is well.
    public enum Mishap: Sendable {
        case none
        case fail(UpstreamError)
        /// The body breaks off after so many bytes.
        case cut(after: Int)
        /// The body waits, after so many bytes, until `release`.
        case stall(after: Int)
        case ignoreRange
        case status(Int)
    }

    public struct File: Sendable {
        public var bytes: ByteBuffer
        public var contentType: String
        public var entityTag: String?
        public var headers: [String: String]
        /// Whether the answer says how long it is.
        public var declaresLength = true
        public init(_ text: String, contentType: String = "application/octet-stream", entityTag: String? = nil, headers: [String: String] = [:]) {
            self.init(ByteBuffer(string: text), contentType: contentType, entityTag: entityTag, headers: headers)
        }
        public init(_ bytes: ByteBuffer, contentType: String = "application/octet-stream", entityTag: String? = nil, headers: [String: String] = [:]) {
            self.bytes = bytes
            self.contentType = contentType
            self.entityTag = entityTag
            self.headers = headers
        }
    }

    public struct Asked: Hashable, Sendable {
        public var method: String
        public var address: String
        public var part: UpstreamRequest.Part
        public var validators: Validators?
        public var post: UpstreamCall.Post?
    }

    private struct State {
        var files: [String: File] = [:]
        var mishaps: [Mishap] = []
        var asked: [Asked] = []
        var isReleased = false
        var isHeld = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let chunk: Int
    private let officialPrefix: String

    /// - Parameter chunk: how many bytes come at a time.
    /// - Parameter officialPrefix: put before names of one part; empty: none.
    public init(chunk: Int = 1000, officialPrefix: String = "") {
        self.chunk = chunk
        self.officialPrefix = officialPrefix
    }

    public func fullName(_ name: String) -> String {
        name.contains("/") || self.officialPrefix.isEmpty ? name : "\(self.officialPrefix)/\(name)"
    }

    public var name: String { "test://upstream" }
    /// All requests count as asked; scripts know what became of them.
    public var figures: UpstreamFigures {
        var figures = UpstreamFigures()
        figures.requests["asked"] = Int64(self.asked.count)
        return figures
    }
    public var asked: [Asked] { self.state.withLock { $0.asked } }

    /// - Parameter address: as `UpstreamResource` writes it: `path`, or `root/name/rest`.
    public func put(_ address: String, _ file: File?) { self.state.withLock { $0.files[address] = file } }
    public func script(_ mishaps: Mishap...) { self.state.withLock { $0.mishaps += mishaps } }

    /// From now on no answer comes before `release`.
    public func hold() {
        self.state.withLock {
            $0.isReleased = false
            $0.isHeld = true
        }
    }

    /// Lets stalled bodies and held answers go on, now and later.
    public func release() {
        let waiting = self.state.withLock { state in
            state.isReleased = true
            state.isHeld = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    public func send(_ request: UpstreamRequest) async throws(UpstreamError) -> UpstreamAnswer {
        let address = Self.address(request.resource.location)
        let isHeld = self.state.withLock { state in
            state.asked.append(
                Asked(method: request.method.rawValue, address: address, part: request.part, validators: request.validators, post: request.post))
            return state.isHeld
        }
        if isHeld { await self.waitForRelease() }
        let (file, mishap) = self.state.withLock { state in
            (state.files[address], state.mishaps.isEmpty ? Mishap.none : state.mishaps.removeFirst())
        }
        if case .fail(let error) = mishap { throw error }
        guard let file else { throw UpstreamError(.absent, "404") }
        if case .whole = request.part, let known = request.validators, !known.entityTag.isEmpty, known.entityTag == file.entityTag {
            return UpstreamAnswer(status: .notModified, headers: [:], body: .empty)
        }
        return self.answer(request, file, mishap)
    }

    private func answer(_ request: UpstreamRequest, _ file: File, _ mishap: Mishap) -> UpstreamAnswer {
        var headers: HTTPFields = [.contentType: file.contentType]
        headers[.eTag] = file.entityTag
        for (name, value) in file.headers { if let name = HTTPField.Name(name) { headers[name] = value } }
        let size = file.bytes.readableBytes
        var range = 0..<size
        var status = HTTPResponse.Status.ok
        var heedsRange = true
        if case .ignoreRange = mishap { heedsRange = false }
        if case .from(let from, let end) = request.part, heedsRange, request.validators.map({ $0.entityTag == file.entityTag ?? "" }) ?? true {
            range = min(Int(from), size)..<min(Int(end ?? Int64(size)), size)
            status = .partialContent
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
        }
        if case .status(let code) = mishap { status = .init(code: code) }
        let reader = Body(upstream: self, bytes: file.bytes, range: range, mishap: mishap, chunk: self.chunk)
        let body = ByteStream(length: file.declaresLength ? Int64(range.count) : nil) { try await reader.next() }
        return UpstreamAnswer(status: status, headers: headers, body: request.method == .head ? ByteStream(length: body.length) { nil } : body)
    }

    private static func address(_ location: UpstreamResource.Location) -> String {
        switch location {
        case .below(let path), .reference(let path): path
        case .named(let root, let name, let rest): "\(root)/\(name)/\(rest)"
        case .elsewhere(let host, let path): "//\(host)\(path)"
        case .absolute(let url): url
        }
    }

    fileprivate func waitForRelease() async {
        await withCheckedContinuation { continuation in
            let goesOn = self.state.withLock { state in
                if !state.isReleased { state.waiting.append(continuation) }
                return state.isReleased
            }
            if goesOn { continuation.resume() }
        }
    }
}

/// One answer's body.
private final class Body: Sendable {
    private let upstream: ScriptedUpstream
    private let bytes: ByteBuffer
    private let range: Range<Int>
    private let mishap: ScriptedUpstream.Mishap
    private let chunk: Int
    private let sent = Mutex(0)

    init(upstream: ScriptedUpstream, bytes: ByteBuffer, range: Range<Int>, mishap: ScriptedUpstream.Mishap, chunk: Int) {
        self.upstream = upstream
        self.bytes = bytes
        self.range = range
        self.mishap = mishap
        self.chunk = chunk
    }

    func next() async throws -> ByteBuffer? {
        let sent = self.sent.withLock { $0 }
        var most = min(self.chunk, self.range.count - sent)
        switch self.mishap {
        case .cut(let after):
            guard sent < after else { throw UpstreamError(.trouble(.cut), "cut") }
            most = min(most, after - sent)
        case .stall(let after):
            if sent >= after { await self.upstream.waitForRelease() } else { most = min(most, after - sent) }
        case .none, .fail, .ignoreRange, .status: break
        }
        guard most > 0 else { return nil }
        self.sent.withLock { $0 += most }
        return self.bytes.getSlice(at: self.bytes.readerIndex + self.range.lowerBound + sent, length: most)
    }
}
