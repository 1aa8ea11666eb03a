import ArtifactModel
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import WebServer

@Suite("TLS and the page cache")
struct SecureTests {
    @Test("content arrives whole over TLS, and a reload takes new files or none")
    func secure() async throws {
        let file = try TestFile(size: 3_000_000)
        let expected = try file.bytes()
        let files = try Pair(beside: file)
        let change: (inout WebServerConfiguration) -> Void = { $0.listeners[0].tls = TLSFiles(certificate: files.certificate, key: files.key) }
        try await TestServer.run(TestHandler(file: file), change) { server in
            let bytes = try await Self.fetch("GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", port: server.port)
            #expect(bytes.suffix(expected.count) == expected[...])
            let what = try await Self.fetch("GET /what HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", port: server.port)
            #expect(String(decoding: what, as: UTF8.self).hasSuffix("https://a - what"))
            try await server.web.reloadTLS()
            unlink(files.key)
            await #expect(throws: (any Error).self) { try await server.web.reloadTLS() }
            let after = try await Self.fetch("GET /what HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", port: server.port)
            #expect(after == what || after.count > 0)
        }
    }

    @Test("what the page cache gives is what the file holds, and it never waits for what is not there")
    func pageCache() throws {
        let file = try TestFile(size: 2_000_000)
        let expected = try file.bytes()
        let open = try file.open()
        let cache = PageCache()
        // nil where the file system cannot say.
        if let bytes = cache.bytes(open.descriptor, 10..<70_000) { #expect(Array(bytes.readableBytesView) == Array(expected[10..<70_000])) }
        #expect(cache.bytes(open.descriptor, 1_999_999..<2_000_001) == nil)
        #expect(cache.holds(open.descriptor, 0..<3_000_000) != true)
        #expect(throws: ShortFile.self) { try BlockingRead.bytes(open.descriptor, 0..<2_000_001) }
        #expect(throws: ShortFile.self) { try BlockingRead.populate(open.descriptor, 0..<2_000_001) }
        #expect(try Array(BlockingRead.bytes(open.descriptor, 5..<1_000_000).readableBytesView) == Array(expected[5..<1_000_000]))
    }

    /// All that comes until the server closes.
    private static func fetch(_ request: String, port: Int) async throws -> [UInt8] {
        let collected = NIOSingletons.posixEventLoopGroup.any().makePromise(of: [UInt8].self)
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let context = try NIOSSLContext(configuration: configuration)
        let channel = try await ClientBootstrap(group: collected.futureResult.eventLoop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandlers([NIOSSLClientHandler(context: context, serverHostname: nil), Collector(collected)])
            }
        }.connect(host: "127.0.0.1", port: port).get()
        try await channel.writeAndFlush(ByteBuffer(string: request))
        return try await collected.futureResult.get()
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let done: EventLoopPromise<[UInt8]>
        private var bytes: [UInt8] = []
        init(_ done: EventLoopPromise<[UInt8]>) { self.done = done }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { self.bytes += self.unwrapInboundIn(data).readableBytesView }
        func channelInactive(context: ChannelHandlerContext) { self.done.succeed(self.bytes) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// A certificate for `localhost`, made for these tests alone, and its key.
    private struct Pair {
        let certificate: String
        let key: String

        init(beside file: TestFile) throws {
            self.certificate = try file.put("certificate.pem", Self.certificatePEM)
            self.key = try file.put("key.pem", Self.keyPEM)
        }

        static let certificatePEM = """
            -----BEGIN CERTIFICATE-----
            MIIBfzCCASWgAwIBAgIUMiKlP8ppUkVS9QJDgn56PYkeLFMwCgYIKoZIzj0EAwIw
            FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzIwMjY1MFoYDzIxMjYxMDMw
            MjAyNjUwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
            PQMBBwNCAATCquI/S7NVLVGrEuHn1BVgACV5pF7WWaJ9zYLNVqMW/UMLMNs2uciH
            bQKrNbowKvkx4bMa5Z1MxiMtaa8hJCzfo1MwUTAdBgNVHQ4EFgQUkjYF36PWY2+o
            lXiXD/aL1N4ObdUwHwYDVR0jBBgwFoAUkjYF36PWY2+olXiXD/aL1N4ObdUwDwYD
            VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAiW1Ct1jgq11G5OoD3Sqo
            oG+2+SqIT4zajErrPxh7LiwCIHIOGRDoiVEB8UUlreYETi+Ov2qb1FQ8rKVvit42
            JmEs
            -----END CERTIFICATE-----
            """

        static let keyPEM = """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgh1ORYNOYAWaDM0Sr
            a8qYmhAEjEeKHfiZOGPbw6ZVyoihRANCAATCquI/S7NVLVGrEuHn1BVgACV5pF7W
            WaJ9zYLNVqMW/UMLMNs2uciHbQKrNbowKvkx4bMa5Z1MxiMtaa8hJCzf
            -----END PRIVATE KEY-----
            """
    }
}
