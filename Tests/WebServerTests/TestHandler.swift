import AccessControl
import ArtifactModel
import FormatAPI
import Glibc
import HTTPTypes
import NIOCore
import RepositoryEngine
import Synchronization
import Testing

/// Answers by path what a test needs, from memory and from files.
struct TestHandler: ArtifactHandler {
    var file: TestFile?
    /// Told when a request to `/hang` is cancelled.
    var cancelled: @Sendable () -> Void = {}
    var hung: @Sendable () -> Void = {}
    /// Told when a compressed form is asked for.
    var made: @Sendable () -> Void = {}

    static let alphabet = "abcdefghijklmnopqrstuvwxyz"

    func respond(to request: IncomingRequest) async -> RequestOutcome {
        let name = try? RepositoryName("files")
        do {
            return RequestOutcome(try await self.response(to: request), repository: name, operation: "test", principal: Principal(name: "tester"))
        } catch {
            let code = (error as? FormatError)?.code
            return RequestOutcome(ArtifactResponse(code == .cancelled ? .badRequest : .internalServerError), operation: "test", cause: error)
        }
    }

    func refusal(_ error: FormatError, of path: String) -> ArtifactResponse? {
        path.hasPrefix("/worded/") ? ArtifactResponse(.badRequest, body: .bytes(ByteBuffer(string: "<\(error.message)>"))) : nil
    }

    private func response(to request: IncomingRequest) async throws -> ArtifactResponse {
        switch request.target.path.first {
        case "letters": return self.content(MemoryContent(ByteBuffer(string: Self.alphabet)), .immutable)
        case "empty": return self.content(MemoryContent(ByteBuffer()), .mutable)
        case "unknown": return self.content(Source(length: nil), .mutable, size: nil)
        case "broken": return self.content(Source(length: 26, failsAt: 10), .mutable)
        case "never": return self.content(Source(length: 26, failsAt: 0), .mutable)
        case "file":
            let file = try #require(self.file)
            return self.content(FileContent(try file.open(), size: file.size), .immutable)
        case "echo":
            var bytes = 0
            while let chunk = try await request.body.next() { bytes += chunk.readableBytes }
            return self.text("\(bytes) \(request.body.length.map(String.init) ?? "unknown")")
        case "refuse": return ArtifactResponse(.forbidden, body: .bytes(ByteBuffer(string: "no")))
        case "hang":
            self.hung()
            do { try await Task.sleep(for: .seconds(3600)) } catch { self.cancelled() }
            return self.text("late")
        case "what": return self.text("\(request.origin) \(request.ownRoot?.text ?? "-") \(request.target.path.joined(separator: "|"))")
        case "document": return ArtifactResponse(.ok, headers: [.eTag: "\"d1\"", .contentType: "text/x"], body: .bytes(ByteBuffer(string: "document")))
        case "packument": return self.packument()
        case "pending": return self.packument { nil }
        case "uncompressible": return self.packument { throw FormatError(.noSpace, "no room") }
        case "list":
            return ArtifactResponse(
                .ok, headers: [.contentType: "application/json; charset=utf-8", .vary: "Accept"], body: .bytes(ByteBuffer(string: Self.long)))
        case "tagged": return ArtifactResponse(.ok, headers: [.contentType: "text/plain", .eTag: "\"t1\""], body: .bytes(ByteBuffer(string: Self.long)))
        case "secret":
            return ArtifactResponse(.ok, headers: [.contentType: "text/html", .cacheControl: "no-store"], body: .bytes(ByteBuffer(string: Self.long)))
        case "picture": return ArtifactResponse(.ok, headers: [.contentType: "image/png"], body: .bytes(ByteBuffer(string: Self.long)))
        case "gone": return ArtifactResponse(.noContent)
        default: return ArtifactResponse(.notFound)
        }
    }

    static let long = String(repeating: alphabet, count: 1000)

    /// A document with a compressed form, which is only pretended.
    private func packument(_ gzip: @escaping Content.Gzip = { MemoryContent(ByteBuffer(string: "compressed")) }) -> ArtifactResponse {
        var response = self.content(MemoryContent(ByteBuffer(string: Self.alphabet)), .mutable)
        guard case .content(var content) = response.body else { return response }
        let made = self.made
        content.gzip = {
            made()
            return try await gzip()
        }
        content.head.lastModified = nil
        response.body = .content(content)
        return response
    }

    private func text(_ text: String) -> ArtifactResponse { ArtifactResponse(.ok, body: .bytes(ByteBuffer(string: text))) }

    private func content(_ source: any ContentSource, _ change: Mutability) -> ArtifactResponse { self.content(source, change, size: source.length) }

    private func content(_ source: any ContentSource, _ change: Mutability, size: Int64?) -> ArtifactResponse {
        let head = ContentHead(
            digests: [], size: size, contentType: "text/plain", entityTag: "\"v1\"", lastModified: Timestamp(milliseconds: 784_111_777_000), change: change)
        let member = RepositoryName.files
        return ArtifactResponse(
            .ok, body: .content(Content(head: head, member: member, cache: CacheReport(.hit, age: .seconds(7)), source: source)))
    }

    /// Letters, ten at a time.
    private struct Source: ContentSource {
        var length: Int64?
        var failsAt: Int64 = .max

        func next(at offset: Int64, limit: Int64) async throws -> ContentPiece? {
            guard offset < self.failsAt else { throw FormatError(.upstreamFailed, "it broke") }
            let all = Array(TestHandler.alphabet.utf8)
            guard offset < all.count else { return nil }
            return .bytes(ByteBuffer(bytes: all[Int(offset)..<min(Int(offset) + Int(min(limit, 10)), all.count)]))
        }
    }
}

extension RepositoryName {
    static var files: RepositoryName {
        do { return try RepositoryName("files") } catch { preconditionFailure("«files» is a name") }
    }
}

/// A file of pseudo-random bytes in a folder of its own, and a count of who has it open.
final class TestFile: Sendable {
    let size: Int64
    let path: String
    private let folder: String
    private let others = Mutex<[String]>([])
    private let closed: AsyncStream<Void>
    private let tell: AsyncStream<Void>.Continuation

    init(size: Int) throws {
        var template = Array("/tmp/webserver-test-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        self.folder = folder
        self.path = folder + "/file"
        self.size = Int64(size)
        (self.closed, self.tell) = AsyncStream.makeStream()
        let descriptor = Glibc.open(self.path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        defer { close(descriptor) }
        var state: UInt64 = 42
        var done = 0
        while done < size {
            let words = (0..<8192).map { _ -> UInt64 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return state
            }
            let count = min(65536, size - done)
            try #require(words.withUnsafeBytes { write(descriptor, $0.baseAddress, count) } == count)
            done += count
        }
    }

    /// Another file in the same folder, gone with it.
    func put(_ name: String, _ text: String) throws -> String {
        let path = self.folder + "/" + name
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
        self.others.withLock { $0.append(path) }
        return path
    }

    deinit {
        for other in self.others.withLock({ $0 }) { unlink(other) }
        unlink(self.path)
        rmdir(self.folder)
    }

    func open() throws -> OpenFile {
        let descriptor = Glibc.open(self.path, O_RDONLY | O_CLOEXEC)
        try #require(descriptor >= 0)
        let tell = self.tell
        return OpenFile(descriptor) {
            close($0)
            tell.yield()
        }
    }

    /// Returns when a descriptor that was opened has been closed.
    func waitForClose() async { _ = await self.closed.first { _ in true } }

    func bytes() throws -> [UInt8] {
        let descriptor = Glibc.open(self.path, O_RDONLY)
        defer { close(descriptor) }
        var all = [UInt8](repeating: 0, count: Int(self.size))
        var done = 0
        while done < all.count {
            let count = all.withUnsafeMutableBytes { read(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done) }
            try #require(count > 0)
            done += count
        }
        return all
    }
}
