import NIOCore
import Testing

@testable import WebServer

@Suite("request bodies")
struct BodyTests {
    @Test("100 Continue is said when the body is read, and never to who is refused")
    func expectation() async throws {
        try await TestServer.run(TestHandler()) { server in
            try await server.talk { client in
                client.send("PUT /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
                let go = try client.head()
                client.send("hello")
                let response = try client.response()
                #expect(go.status == 100 && response.text == "5 5" && response["Connection"] == nil)
            }
            try await server.talk { client in
                client.send("PUT /refuse HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
                let response = try client.response()
                #expect(response.status == 403 && response["Connection"] == "close" && client.isEnded())
            }
        }
    }

    @Test("chunks are read to their end, and the connection goes on")
    func chunked() async throws {
        try await TestServer.run(TestHandler()) { server in
            try await server.talk { client in
                client.send("PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
                let chunked = try client.response()
                client.send("GET /letters HTTP/1.1\r\nHost: a\r\n\r\n")
                let next = try client.response()
                #expect(chunked.text == "7 unknown" && next.text == TestHandler.alphabet)
            }
        }
    }

    @Test("a body that is cut is an error and never an end", arguments: ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nab"])
    func cut(_ rest: String) async throws {
        try await TestServer.run(TestHandler()) { server in
            let response = try await server.talk { client in
                client.send("PUT /echo HTTP/1.1\r\nHost: a\r\n" + rest)
                client.endInput()
                return try client.response()
            }
            #expect(response.status == 400)
            let line = await server.log.line("/echo")
            #expect(line["cause"]?.hasPrefix("cancelled") == true)
        }
    }

    @Test("a small body that nobody wanted is drained, and a large one ends the connection after the answer")
    func unwanted() async throws {
        try await TestServer.run(TestHandler()) { server in
            try await server.talk { client in
                client.send("PUT /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + String(repeating: "x", count: 100_000))
                let refused = try client.response()
                client.send("GET /letters HTTP/1.1\r\nHost: a\r\n\r\n")
                let next = try client.response()
                #expect(refused.status == 403 && next.text == TestHandler.alphabet)
            }
            try await server.talk { client in
                client.send("PUT /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n" + String(repeating: "x", count: 1_000_000))
                let refused = try client.response()
                #expect(refused.status == 403 && refused["Connection"] == "close")
            }
        }
    }

    @Test("a large body arrives whole, by back-pressure")
    func large() async throws {
        try await TestServer.run(TestHandler()) { server in
            let size = 64 << 20
            let response = try await server.talk { client in
                client.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n")
                let block = [UInt8](repeating: 7, count: 1 << 20)
                for _ in 0..<64 { client.send(block) }
                return try client.response()
            }
            #expect(response.text == "\(size) \(size)")
            let line = await server.log.line("/echo")
            #expect(line["received"] == "\(size)")
        }
    }
}
