import ArtifactModel
import HTTPTypes
import Testing

@testable import WebServer

@Suite("requests")
struct RequestTests {
    @Test("pipelined requests are answered in order")
    func pipelined() async throws {
        try await TestServer.run(TestHandler()) { server in
            try await server.talk { client in
                client.send(["a", "b", "c"].map { "GET /what/\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
                client.endInput()
                for name in ["a", "b", "c"] {
                    let response = try client.response()
                    #expect(response.text == "http://x - what|\(name)")
                }
                #expect(client.isEnded())
            }
        }
    }

    @Test("a URL as target is as good as a path, and its host wins")
    func absoluteForm() async throws {
        try await TestServer.run(TestHandler()) { server in
            let texts = try await ["http://b.example:8080/what/x?q", "HTTP://b.example/what/x", "http://b.example/what"].asyncMap {
                try await server.ask("GET \($0)").text
            }
            #expect(texts == ["http://b.example:8080 - what|x", "http://b.example - what|x", "http://b.example - what"])
        }
    }

    static let refused: [(request: String, status: Int)] = [
        ("OPTIONS * HTTP/1.1\r\nHost: a", 400), ("GET /letters HTTP/1.1", 400), ("GET /letters HTTP/1.1\r\nHost: a\r\nHost: b", 400),
        ("GET /letters HTTP/1.1\r\nHost: a/b", 400), ("GET /letters HTTP/1.1\r\nHost: u@a", 400), ("GET /a/../b HTTP/1.1\r\nHost: a", 400),
        ("GET /a/%2e%2e/b HTTP/1.1\r\nHost: a", 400), ("GET /a%00b HTTP/1.1\r\nHost: a", 400), ("GET /a//b HTTP/1.1\r\nHost: a", 400),
        ("GET /%zz HTTP/1.1\r\nHost: a", 400), ("GET /%c0%af HTTP/1.1\r\nHost: a", 400), ("GET /%ff HTTP/1.1\r\nHost: a", 400),
        ("GET /" + String(repeating: "a", count: 9000) + " HTTP/1.1\r\nHost: a", 414), ("GET gopher://a/ HTTP/1.1\r\nHost: a", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 40_000), 431),
        ("GET / HTTP/1.1\r\nHost: a\r\n" + (0..<120).map { "X\($0): 1" }.joined(separator: "\r\n"), 431),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: a-miracle", 417), ("nonsense", 400), ("GET / HTTP/1.1\r\nHost: a\r\nBad Name: x", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked", 501), ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2", 400),
    ]

    @Test("what is no sound request is refused", arguments: RequestTests.refused.indices)
    func refusals(_ index: Int) async throws {
        let (request, status) = Self.refused[index]
        try await TestServer.run(TestHandler()) { server in
            let response = try await server.talk { client in
                client.send(request + "\r\n\r\n")
                return try client.response()
            }
            #expect(response.status == status, "\(request.prefix(80))")
        }
    }

    @Test("what is refused before it is read is told in the words of the format that its path begins with", arguments: ["/worded/../a", "/a/../b"])
    func worded(_ target: String) async throws {
        try await TestServer.run(TestHandler()) { server in
            let response = try await server.ask("GET \(target)")
            #expect(response.status == 400)
            #expect(response.text.hasPrefix("<") == target.hasPrefix("/worded/"))
        }
    }

    @Test("an escaped slash stays within its segment, and an old client needs no Host")
    func paths() async throws {
        try await TestServer.run(TestHandler()) { server in
            let escaped = try await server.ask("GET /what/a%2fb/c")
            #expect(escaped.text == "http://localhost - what|a/b|c")
            try await server.talk { client in
                client.send("GET /what HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /what HTTP/1.0\r\n\r\n")
                let (first, second) = (try client.response(), try client.response())
                #expect(first["Connection"] == "keep-alive" && second["Connection"] == "close" && client.isEnded())
            }
        }
    }

    @Test("another Host than the server's is misdirected, but probes come by any name")
    func hosts() async throws {
        let change: (inout WebServerConfiguration) -> Void = {
            $0.baseURL = "https://art.example.com"
            $0.hosts = ["other.example.com"]
            $0.ownRoots = ["hub.example.com": .files]
        }
        try await TestServer.run(TestHandler(), change) { server in
            let hosts = ["art.example.com", "Other.example.com:99", "hub.example.com", "evil.example.com"]
            let texts = try await hosts.asyncMap { host in
                try await server.talk { client in
                    client.send("GET /what HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                    let response = try client.response()
                    return "\(response.status) \(response.text)"
                }
            }
            #expect(texts[0] == "200 https://art.example.com - what" && texts[1] == texts[0])
            #expect(texts[2] == "200 http://hub.example.com files what" && texts[3].hasPrefix("421"))
            let probe = try await server.ask("GET /health/live")
            #expect(probe.status == 200)
        }
    }

    @Test("a request's name is the client's where it is harmless, and 16 digits of ours else")
    func names() async throws {
        try await TestServer.run(TestHandler()) { server in
            let given = try await server.ask("GET /letters", headers: ["X-Request-ID: abc-1.2"])
            let bad = try await server.ask("GET /letters", headers: ["X-Request-ID: a\"b"])
            #expect(given["X-Request-ID"] == "abc-1.2")
            #expect(bad["X-Request-ID"]?.count == 16)
        }
    }
}

@Suite("forwarding")
struct ForwardingTests {
    static let table: [(headers: HTTPFields, client: String, scheme: String?, host: String?)] = [
        ([:], "10.0.0.1", nil, nil), ([.xForwardedFor: "1.1.1.1"], "1.1.1.1", nil, nil),
        ([.xForwardedFor: "6.6.6.6, 1.1.1.1, 10.0.0.2"], "1.1.1.1", nil, nil),
        ([.xForwardedFor: "1.1.1.1", .xForwardedProto: "https", .xForwardedHost: "a.b"], "1.1.1.1", "https", "a.b"),
        ([.xForwardedProto: "gopher"], "10.0.0.1", nil, nil), ([.xForwardedFor: "10.0.0.3, 10.0.0.2"], "10.0.0.3", nil, nil),
        ([.xForwardedFor: "[2001:db8::1]:99"], "2001:db8::1", nil, nil),
        ([.forwarded: "for=6.6.6.6;proto=http, for=\"1.1.1.1:5\";proto=https;host=a.b"], "1.1.1.1", "https", "a.b"),
        ([.xForwardedFor: "1.1.1.1", .forwarded: "for=6.6.6.6;host=evil"], "1.1.1.1", nil, nil),
        ([.forwarded: "for=unknown"], "unknown", nil, nil),
    ]

    @Test("the client is the last hop that no proxy of ours vouches for", arguments: ForwardingTests.table.indices)
    func hops(_ index: Int) throws {
        let (headers, client, scheme, host) = Self.table[index]
        let block = try AddressBlock("10.0.0.0/8")
        let trusted: (String) -> Bool = { NetworkAddress($0).map(block.contains) ?? false }
        let forwarding = Forwarding(peer: "10.0.0.1", trusted: trusted, headers: headers)
        #expect(forwarding.client == client && forwarding.scheme == scheme && forwarding.host == host)
        #expect(Forwarding(peer: "9.9.9.9", trusted: trusted, headers: headers).client == "9.9.9.9")
    }

    static let blocks: [(block: String, address: String, inside: Bool)] = [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.168.4.0/22", "192.168.7.9", true),
        ("192.168.4.0/22", "192.168.8.0", false), ("0.0.0.0/0", "1.2.3.4", true), ("fd00::/8", "fd12::1", true), ("fd00::/8", "fe80::1", false),
        ("127.0.0.1", "::ffff:127.0.0.1", true), ("::1", "::1", true), ("::/0", "1.2.3.4", false),
    ]

    @Test("an address block holds the addresses that share its prefix", arguments: ForwardingTests.blocks.indices)
    func prefixes(_ index: Int) throws {
        let (block, address, inside) = Self.blocks[index]
        let (parsed, network) = (try AddressBlock(block), try #require(NetworkAddress(address)))
        #expect(parsed.contains(network) == inside)
    }

    @Test("what is no address block is refused", arguments: ["", "10.0.0.0/33", "10.0.0", "a/8", "10.0.0.0/x"])
    func malformed(_ text: String) { #expect(throws: InvalidName.self) { try AddressBlock(text) } }
}

extension Array where Element: Sendable {
    func asyncMap<T>(_ work: (Element) async throws -> T) async rethrows -> [T] {
        var out: [T] = []
        for element in self { out.append(try await work(element)) }
        return out
    }
}
