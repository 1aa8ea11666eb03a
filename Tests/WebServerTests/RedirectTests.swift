import Testing

@testable import WebServer

@Suite("the port that redirects", .timeLimit(.minutes(2)))
struct RedirectTests {
    private static func redirecting(_ more: @escaping @Sendable (inout WebServerConfiguration) -> Void = { _ in })
        -> @Sendable (inout WebServerConfiguration)
        -> Void
    {
        { configuration in
            configuration.listeners[0].redirectPort = 8443
            more(&configuration)
        }
    }

    @Test(
        "every request is sent on to HTTPS with its own spelling of path and query",
        arguments: [
            ("GET /v2/a/tags/list?n=5&last=a%2Fb", 301, "https://localhost:8443/v2/a/tags/list?n=5&last=a%2Fb"),
            ("HEAD /", 301, "https://localhost:8443/"), ("POST /v2/a/blobs/uploads/?mount=x", 308, "https://localhost:8443/v2/a/blobs/uploads/?mount=x"),
            ("DELETE /repository/files/a%20b", 308, "https://localhost:8443/repository/files/a%20b"),
            ("GET http://other.example:80/metrics?x", 301, "https://other.example:8443/metrics?x"), ("GET /metrics", 301, "https://localhost:8443/metrics"),
            ("GET /health/else", 301, "https://localhost:8443/health/else"), ("GET http://other.example?x=1", 301, "https://other.example:8443/?x=1"),
        ])
    func sentOn(line: String, status: Int, location: String) async throws {
        try await TestServer.run(TestHandler(), Self.redirecting { $0.strictTransport = .seconds(60) }) { server in
            let response = try await server.ask(line)
            #expect(response["Connection"] == nil)
            #expect(response.status == status && response["Location"] == location && response.body.isEmpty)
            // RFC 6797, 7.2: never over plain HTTP.
            #expect(response["Strict-Transport-Security"] == nil && response["X-Content-Type-Options"] == "nosniff")
        }
    }

    @Test("the base URL is where they go, whatever port it has, and 443 is not written")
    func destination() async throws {
        try await TestServer.run(TestHandler(), Self.redirecting { $0.baseURL = "https://localhost:9443" }) { server in
            let response = try await server.ask("GET /a")
            #expect(response["Location"] == "https://localhost:9443/a")
        }
        try await TestServer.run(TestHandler(), { $0.listeners[0].redirectPort = 443 }) { server in
            let response = try await server.ask("GET /a")
            #expect(response["Location"] == "https://localhost/a")
        }
    }

    @Test("a Host that is not the server's is 421, a repository's own is sent to its own")
    func hosts() async throws {
        let change = Self.redirecting {
            $0.baseURL = "https://artifacts.example.com"
            $0.ownRoots = ["hub.example.com": .files]
        }
        try await TestServer.run(TestHandler(), change) { server in
            let asked = [("evil.example", "/a"), ("artifacts.example.com:8080", "/a"), ("hub.example.com", "/v2/"), ("evil.example", "/metrics")]
            let answers = try await asked.asyncMap { host, path in
                try await server.talk { client in
                    client.send("GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                    let response = try client.response()
                    return "\(response.status) \(response["Location"] ?? "-")"
                }
            }
            #expect(
                answers == ["421 -", "301 https://artifacts.example.com/a", "301 https://hub.example.com:8443/v2/", "421 -"])
        }
    }

    @Test("health is answered there, under a repository's Host as well, and nothing else is")
    func health() async throws {
        try await TestServer.run(TestHandler(), Self.redirecting { $0.ownRoots = ["localhost": .files] }) { server in
            let live = try await server.ask("GET /health/live")
            let put = try await server.ask("POST /health/live")
            #expect(live.status == 200 && live.text == "live\n" && put.status == 405)
        }
    }

    @Test("a body is not waited for: who waits to be told is not told, and the connection ends")
    func bodies() async throws {
        try await TestServer.run(TestHandler(), Self.redirecting()) { server in
            try await server.talk { client in
                client.send("PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
                let response = try client.response()
                #expect(response.status == 308 && response["Connection"] == "close" && client.isEnded())
            }
            try await server.talk { client in
                client.send("PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc")
                let response = try client.response()
                #expect(response.status == 308 && response["Connection"] == "close")
            }
        }
    }

    @Test("pages of the server's own have a policy of their own, everything else is sandboxed")
    func policies() async throws {
        try await TestServer.run(TestHandler()) { server in
            let page = try await server.ask("GET /")
            #expect(page["Content-Security-Policy"]?.contains("default-src 'self'") == true)
            #expect(page["Content-Security-Policy"]?.contains("frame-ancestors 'none'") == true)
            #expect(page["Referrer-Policy"] == "no-referrer" && page["X-Frame-Options"] == "DENY" && page["X-Content-Type-Options"] == "nosniff")
            for path in ["/letters", "/nothing", "/health/live", "/metrics", "/refuse"] {
                let other = try await server.ask("GET \(path)")
                #expect(other["Content-Security-Policy"] == "sandbox" && other["X-Content-Type-Options"] == "nosniff", "\(path)")
                #expect(other["X-Frame-Options"] == nil && other["Strict-Transport-Security"] == nil, "\(path)")
            }
        }
    }
}
