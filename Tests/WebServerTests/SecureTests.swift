import ArtifactModel
import Glibc
import NIOCore
import NIOSSL
import Testing

@testable import WebServer

@Suite("TLS and the page cache")
struct SecureTests {
    @Test("content arrives whole over TLS, with the promise that there will be TLS")
    func secure() async throws {
        let file = try TestFile(size: 3_000_000)
        let expected = try file.bytes()
        let pair = try TestCertificate(beside: file)
        let change: (inout WebServerConfiguration) -> Void = {
            $0.listeners[0].tls = pair.files
            $0.strictTransport = .seconds(180 * 86_400)
        }
        try await TestServer.run(TestHandler(file: file), change) { server in
            let file = try await SecureClient.fetch("/file", port: server.port)
            #expect(file.bytes.suffix(expected.count) == expected[...])
            let what = try await SecureClient.fetch("/what", port: server.port).text
            #expect(what.hasSuffix("https://a - what") && what.contains("Strict-Transport-Security: max-age=15552000\r\n"))
            let malformed = try await SecureClient.fetch("/a b", port: server.port).text
            #expect(malformed.hasPrefix("HTTP/1.1 400") && malformed.contains("Strict-Transport-Security: "))
        }
    }

    @Test("what is older than TLS 1.2 is refused, 1.2 and 1.3 are served", arguments: [(TLSVersion.tlsv11, false), (.tlsv12, true), (.tlsv13, true)])
    func versions(version: TLSVersion, served: Bool) async throws {
        let file = try TestFile(size: 1)
        let pair = try TestCertificate(beside: file)
        try await TestServer.run(TestHandler(), { $0.listeners[0].tls = pair.files }) { server in
            let answer = try await SecureClient.fetch("/what", port: server.port, version: version)
            #expect(answer.text.hasPrefix("HTTP/1.1 200") == served)
        }
    }

    @Test("a certificate that changes is served to new connections, and a transfer that runs is not disturbed")
    func changed() async throws {
        let file = try TestFile(size: 16 << 20)
        let pair = try TestCertificate(beside: file)
        let change: (inout WebServerConfiguration) -> Void = {
            $0.listeners[0].tls = pair.files
            $0.timeouts.certificates = .milliseconds(5)
        }
        try await TestServer.run(TestHandler(file: file), change) { server in
            let before = try await SecureClient.fetch("/what", port: server.port).serial
            let running = try await SecureClient.connect(port: server.port, reads: false)
            try await running.request("/file")
            try pair.replace(certificate: TestCertificate.Pair.second.certificate)
            // Whatever is looked at in between, the old pair stays until the new one is whole.
            #expect(try await SecureClient.fetch("/what", port: server.port).serial == before)
            try pair.replace(key: TestCertificate.Pair.second.key)
            var serial = before
            while serial == before { serial = try await SecureClient.fetch("/what", port: server.port).serial }
            let whole = try await running.rest()
            #expect(whole.bytes.count > 16 << 20 && whole.serial == before)
            let metrics = try await SecureClient.fetch("/metrics", port: server.port).text
            #expect(metrics.contains("entrepot_tls_certificate_expiry_seconds{certificate=\""))
        }
    }

    @Test("a reload takes new files or none")
    func reload() async throws {
        let file = try TestFile(size: 1)
        let pair = try TestCertificate(beside: file)
        try await TestServer.run(TestHandler(), { $0.listeners[0].tls = pair.files }) { server in
            let before = try await SecureClient.fetch("/what", port: server.port).serial
            try await server.web.reloadTLS()
            unlink(pair.files.key)
            await #expect(throws: TLSFilesError.self) { try await server.web.reloadTLS() }
            #expect(try await SecureClient.fetch("/what", port: server.port).serial == before)
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
}
