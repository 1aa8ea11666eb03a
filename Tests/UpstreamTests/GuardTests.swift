import ArtifactModel
import FormatAPI
import Foundation
import HTTPTypes
import NIOCore
import NIOSSL
import Outbound
import RepositoryEngine
import Testing

@testable import Upstream

@Suite("Redirects, the guard, TLS and the egress proxy", .timeLimit(.minutes(1)))
struct GuardTests {
    private static let local = OutboundSettings(allowPrivate: [CIDR.loopback].compactMap { $0 })

    @Test("a redirect within the upstream keeps the range and the credentials; one to another origin keeps the range alone")
    func redirects() async throws {
        try await ScriptedServer.run({ _ in .answer(206, ["Content-Range": "bytes 1-2/9"], "ab") }) { other in
            let script: ScriptedServer.Script = { heard in
                switch heard.path {
                case "/a": .answer(302, ["Location": "b"])
                case "/b": .answer(307, ["Location": "http://127.0.0.1:\(other.port)/c?sig=x"], "moved")
                default: .answer(404)
                }
            }
            try await ScriptedServer.run(script) { server in
                try await Fixture.use(Fixture.settings(server, .token("t")), Self.local) { upstream in
                    let validators = Validators(entityTag: "\"e\"", lastModified: "")
                    let request = UpstreamRequest(.get, Fixture.resource, part: .from(1, to: 3), validators: validators)
                    let answer = try await upstream.send(request)
                    #expect(try await answer.body.collect(upTo: 9).map { String(buffer: $0) } == "ab")
                    let last = try #require(other.heard.first)
                    #expect(last.path == "/c?sig=x" && last["Range"] == "bytes=1-2" && last["If-Range"] == "\"e\"" && last["Authorization"] == nil)
                    #expect(server.heard.map { $0["Authorization"] } == ["Bearer t", "Bearer t"])
                    _ = try await upstream.send(UpstreamRequest(.head, Fixture.resource))
                    #expect(other.heard.last?.method == "HEAD")
                }
            }
        }
    }

    @Test("a redirect to a private address is refused before anything is sent, whatever form it has, and allowed where the operator says so")
    func guarded() async throws {
        try await ScriptedServer.run({ _ in .answer(200, [:], "secret") }) { inner in
            for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f000001", "127.1"] {
                let script: ScriptedServer.Script = { _ in .answer(302, ["Location": "http://\(host):\(inner.port)/"]) }
                try await ScriptedServer.run(script) { server in
                    try await Fixture.use(Fixture.settings(server)) { upstream in #expect(await upstream.code() == .trouble(.forbidden), "\(host)") }
                    #expect(inner.heard.isEmpty)
                }
            }
            try await ScriptedServer.run({ _ in .answer(302, ["Location": "\(inner.url)/"]) }) { server in
                try await Fixture.use(Fixture.settings(server), Self.local) { upstream in
                    let text = await upstream.text()
                    #expect(text == "secret")
                }
            }
        }
    }

    @Test("an address that a document names is guarded; the remote's own is not")
    func documents() async throws {
        try await ScriptedServer.run({ _ in .answer(200, [:], "mine") }) { server in
            try await ScriptedServer.run({ _ in .answer(200) }) { other in
                try await Fixture.use(Fixture.settings(server, .token("t"))) { upstream in
                    #expect(await upstream.text(UpstreamResource(.absolute("\(server.url)/x"))) == "mine")
                    #expect(await upstream.code(UpstreamResource(.absolute("\(other.url)/x"))) == .trouble(.forbidden))
                    for wrong in ["file:///etc/passwd", "http://u:p@h/", "x", "https:///"] {
                        #expect(await upstream.code(UpstreamResource(.absolute(wrong))) == .trouble(.badAnswer))
                    }
                    #expect(other.heard.isEmpty)
                }
            }
        }
    }

    @Test("redirects in a circle end")
    func circle() async throws {
        try await ScriptedServer.run({ _ in .answer(301, ["Location": "/a"]) }) { server in
            try await Fixture.use(Fixture.settings(server)) { upstream in
                #expect(await upstream.code() == .trouble(.badAnswer))
                #expect(server.heard.count == 6)
            }
        }
    }

    @Test("an authority of one's own is trusted, a stranger is not, and TLS is never left")
    func secure() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "entrepot-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // what is left in a temporary folder harms nobody
        let file = folder.appending(path: "ca.pem")
        try Data(Certificate.certificatePEM.utf8).write(to: file)
        let script: ScriptedServer.Script = { heard in heard.path == "/a" ? .answer(200, [:], "safe") : .answer(302, ["Location": "http://127.0.0.1:1/"]) }
        try await ScriptedServer.run(tls: try Certificate.context(), script) { server in
            try await Fixture.use(Fixture.settings(server)) { upstream in #expect(await upstream.code() == .trouble(.tls)) }
            var settings = Self.local
            settings.certificateAuthorities = file.path
            try await Fixture.use(Fixture.settings(server), settings) { upstream in
                #expect(await upstream.text() == "safe")
                #expect(await upstream.code(UpstreamResource(.below("away"))) == .trouble(.forbidden))
                #expect(await upstream.code(UpstreamResource(.absolute("http://127.0.0.1:1/"))) == .trouble(.forbidden))
            }
        }
    }

    @Test("through an egress proxy the remote is reached by CONNECT, with the proxy's own credentials, and private addresses stay refused")
    func egress() async throws {
        let script: ScriptedServer.Script = { heard in
            if heard.method == "CONNECT" { return heard["Proxy-Authorization"] == "Basic dTpw" ? .answer(200) : .answer(407) }
            return heard.path == "/a" ? .answer(200, [:], "far") : .answer(302, ["Location": "http://169.254.169.254/latest"])
        }
        try await ScriptedServer.run(script) { proxy in
            let settings = UpstreamSettings(remotes: ["http://upstream.invalid:8080"])
            let outbound = OutboundSettings(proxy: .init(host: "127.0.0.1", port: proxy.port, user: ("u", "p")))
            try await Fixture.use(settings, outbound) { upstream in
                #expect(await upstream.text() == "far")
                #expect(proxy.heard.first?.line == "CONNECT upstream.invalid:8080 HTTP/1.1")
                #expect(proxy.heard.last?["Proxy-Authorization"] == nil)
                #expect(await upstream.code(UpstreamResource(.below("away"))) == .trouble(.forbidden))
            }
            let unknown = OutboundSettings(proxy: .init(host: "127.0.0.1", port: proxy.port))
            try await Fixture.use(settings, unknown) { upstream in #expect(await upstream.code() == .trouble(.unreachable)) }
        }
    }
}

extension CIDR {
    static var loopback: CIDR? { try? CIDR("127.0.0.0/8") }  // a constant
}

/// A certificate for `localhost`, made for tests alone, and its key.
enum Certificate {
    static func context() throws -> NIOSSLContext {
        let certificate = try NIOSSLCertificate(bytes: Array(Self.certificatePEM.utf8), format: .pem)
        let key = try NIOSSLPrivateKey(bytes: Array(Self.keyPEM.utf8), format: .pem)
        return try NIOSSLContext(configuration: .makeServerConfiguration(certificateChain: [.certificate(certificate)], privateKey: .privateKey(key)))
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
