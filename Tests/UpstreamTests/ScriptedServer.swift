import ArtifactModel
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// One request as it came.
struct Heard: Sendable {
    var line: String
    var fields: [String: String]
    /// Of a declared length.
    var body = ""
    var path: String { String(self.line.split(separator: " ").dropFirst().first ?? "") }
    var method: String { String(self.line.split(separator: " ").first ?? "") }
    subscript(name: String) -> String? { self.fields[name.lowercased()] }
}

/// What the script wants done.
enum Reply: Sendable {
    /// A whole answer; the connection is kept.
    case answer(Int, [String: String] = [:], String = "")
    /// These bytes, and the connection ends.
    case bytes(String)
    /// These bytes, and nothing more.
    case stall(String)
    /// A whole answer whose body is no text; the connection is kept.
    case binary(Int, [String: String], ByteBuffer)
}

/// An upstream that says what a test wants, on a free port of loopback.
final class ScriptedServer: Sendable {
    typealias Script = @Sendable (Heard) -> Reply
    private let channel: any Channel
    private let record: Record
    let isSecure: Bool

    final class Record: Sendable {
        fileprivate let state = Mutex<(heard: [Heard], ended: Int, waiting: [(Int, CheckedContinuation<Void, Never>)])>(([], 0, []))

        fileprivate func end() {
            let ready = self.state.withLock { state in
                state.ended += 1
                let ready = state.waiting.filter { $0.0 <= state.ended }
                state.waiting.removeAll { $0.0 <= state.ended }
                return ready
            }
            for waiter in ready { waiter.1.resume() }
        }
    }

    private init(_ channel: any Channel, _ record: Record, isSecure: Bool) {
        self.channel = channel
        self.record = record
        self.isSecure = isSecure
    }

    static func run<T>(tls: NIOSSLContext? = nil, _ script: @escaping Script, _ body: (ScriptedServer) async throws -> T) async throws -> T {
        let record = Record()
        let channel = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(Handler(script, record))
                }
            }.bind(host: "127.0.0.1", port: 0).get()
        let server = ScriptedServer(channel, record, isSecure: tls != nil)
        do {
            let result = try await body(server)
            try await channel.close()
            return result
        } catch {
            try await channel.close()
            throw error
        }
    }

    var port: Int { self.channel.localAddress?.port ?? 0 }
    var url: String { self.isSecure ? "https://localhost:\(self.port)" : "http://127.0.0.1:\(self.port)" }
    var heard: [Heard] { self.record.state.withLock { $0.heard } }

    /// Returns once so many connections have ended.
    func connectionsEnded(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = self.record.state.withLock { state in
                guard state.ended < count else { return true }
                state.waiting.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let script: Script
        private let record: Record
        private var text = ""

        init(_ script: @escaping Script, _ record: Record) {
            self.script = script
            self.record = record
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.text += String(buffer: self.unwrapInboundIn(data))
            while let end = self.text.firstRange(of: "\r\n\r\n") {
                let lines = self.text[..<end.lowerBound].split(separator: "\r\n")
                var heard = Heard(line: String(lines.first ?? ""), fields: [:])
                for line in lines.dropFirst() {
                    let sides = line.split(separator: ":", maxSplits: 1)
                    if sides.count == 2 { heard.fields[sides[0].lowercased()] = String(sides[1].drop { $0 == " " }) }
                }
                let rest = self.text[end.upperBound...].utf8
                let length = heard["content-length"].flatMap { Int($0) } ?? 0
                guard rest.count >= length else { return }
                heard.body = String(decoding: rest.prefix(length), as: UTF8.self)
                self.text = String(decoding: rest.dropFirst(length), as: UTF8.self)
                self.record.state.withLock { $0.heard.append(heard) }
                self.perform(self.script(heard), heard, context)
            }
        }

        private func perform(_ reply: Reply, _ heard: Heard, _ context: ChannelHandlerContext) {
            switch reply {
            case .answer(let status, let fields, let body):
                var text = "HTTP/1.1 \(status) X\r\n" + fields.map { "\($0.key): \($0.value)\r\n" }.sorted().joined()
                if heard.method == "CONNECT" {
                    text += "\r\n"
                } else {
                    if fields["Content-Length"] == nil { text += "Content-Length: \(body.utf8.count)\r\n" }
                    text += "\r\n" + (heard.method == "HEAD" ? "" : body)
                }
                context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            case .bytes(let text):
                context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
                context.close(promise: nil)
            case .binary(let status, let fields, var body):
                var bytes = ByteBuffer(string: "HTTP/1.1 \(status) X\r\n" + fields.map { "\($0.key): \($0.value)\r\n" }.sorted().joined())
                bytes.writeString("Content-Length: \(body.readableBytes)\r\n\r\n")
                if heard.method != "HEAD" { bytes.writeBuffer(&body) }
                context.writeAndFlush(self.wrapOutboundOut(bytes), promise: nil)
            case .stall(let text): context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { self.record.end() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
