import Foundation
import Testing

extension Clients {
    @Suite("plain files", .timeLimit(.minutes(3))) struct Files {
        private static let root = "/repository/files"
        private static let digits = Array("0123456789".utf8)

        @Test("curl puts, gets, asks, and deletes a file", .needs("curl"))
        func curl() async throws {
            try await withServer { server in
                let source = server.folder.appending(path: "source.bin")
                try Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }).write(to: source)
                let url = "\(server.files)/a/b/source.bin"
                try await succeed(["curl", "--silent", "--show-error", "--fail", "--upload-file", source.path, url], in: server.folder)
                try await succeed(["curl", "--silent", "--show-error", "--fail", "--output", "back.bin", url], in: server.folder)
                try await succeed(["cmp", source.path, "back.bin"], in: server.folder)
                let head = try await succeed(["curl", "--silent", "--fail", "--head", url], in: server.folder)
                #expect(head.lowercased().contains("content-length: 3000000"))
                try await succeed(["curl", "--silent", "--show-error", "--fail", "--request", "DELETE", url], in: server.folder)
                let gone = try await run(["curl", "--silent", "--fail", url], in: server.folder)
                #expect(gone.status == 22)
            }
        }

        @Test("Expect: 100-continue is answered before the body is sent")
        func continues() async throws {
            try await withServer { server in
                let port = server.port
                let answer = try await offPool {
                    let connection = try RawConnection(port: port)
                    let head = "PUT \(Self.root)/expect.bin HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
                    connection.send(Array(head.utf8))
                    let interim = String(decoding: connection.receive(), as: UTF8.self)
                    connection.send(Self.digits)
                    return (interim: interim, last: connection.answer(to: "PUT"))
                }
                #expect(answer.interim.hasPrefix("HTTP/1.1 100"), "\(answer.interim)")
                #expect((200..<300).contains(answer.last?.status ?? 0))
            }
        }

        @Test(
            "a range gives its bytes, one beyond the end 416, an unknown unit the whole",
            arguments: [
                ("bytes=0-3", 206, "0123", "bytes 0-3/10"), ("bytes=7-", 206, "789", "bytes 7-9/10"), ("bytes=-2", 206, "89", "bytes 8-9/10"),
                ("bytes=8-99", 206, "89", "bytes 8-9/10"), ("bytes=-99", 206, "0123456789", "bytes 0-9/10"), ("bytes=10-", 416, "", "bytes */10"),
                ("bytes=-0", 416, "", "bytes */10"), ("lines=1-2", 200, "0123456789", ""),
            ])
        func ranges(_ range: String, _ status: Int, _ body: String, _ place: String) async throws {
            try await withServer { server in
                try await server.put("\(Self.root)/digits", Self.digits)
                let answer = try await server.send("GET", "\(Self.root)/digits", headers: ["Range: \(range)"])
                #expect(answer.status == status)
                #expect(answer.headers["content-range"] ?? "" == place)
                if !body.isEmpty { #expect(answer.text == body) }
            }
        }

        @Test(
            "a range that is none is ignored or refused, and no error of the server", arguments: ["bytes=9-3", "bytes=a-b", "bytes=", "bytes=1", "bytes=--1"])
        func malformedRanges(_ range: String) async throws {
            try await withServer { server in
                try await server.put("\(Self.root)/digits", Self.digits)
                let answer = try await server.send("GET", "\(Self.root)/digits", headers: ["Range: \(range)"])
                #expect([400, 416].contains(answer.status) || answer.status == 200 && answer.body == Self.digits, "\(answer.status)")
            }
        }

        @Test("several ranges come as parts, and too many are refused")
        func severalRanges() async throws {
            try await withServer { server in
                try await server.put("\(Self.root)/digits", Self.digits)
                let answer = try await server.send("GET", "\(Self.root)/digits", headers: ["Range: bytes=0-1,8-9"])
                #expect(answer.status == 206)
                #expect(answer.headers["content-type"]?.hasPrefix("multipart/byteranges") == true)
                #expect(answer.text.contains("bytes 0-1/10") && answer.text.contains("bytes 8-9/10"))
                let many = "bytes=" + (0..<400).map { "\($0 % 10)-\($0 % 10)" }.joined(separator: ",")
                let greedy = try await server.send("GET", "\(Self.root)/digits", headers: ["Range: \(many)"])
                #expect(greedy.status == 400)
            }
        }

        @Test("an entity tag saves the second transfer, and a range of what changed is the whole")
        func validators() async throws {
            try await withServer { server in
                try await server.put("\(Self.root)/digits", Self.digits)
                let first = try await server.send("GET", "\(Self.root)/digits")
                let tag = try #require(first.headers["etag"])
                let second = try await server.send("GET", "\(Self.root)/digits", headers: ["If-None-Match: \(tag)"])
                #expect(second.status == 304 && second.body.isEmpty)
                let part = try await server.send("GET", "\(Self.root)/digits", headers: ["Range: bytes=0-1", "If-Range: \(tag)"])
                #expect(part.status == 206)
                let other = try await server.send("GET", "\(Self.root)/digits", headers: ["Range: bytes=0-1", "If-Range: \"other\""])
                #expect(other.status == 200 && other.body == Self.digits)
            }
        }

        @Test("a folder is listed, as a page and as JSON")
        func folders() async throws {
            try await withServer { server in
                for name in ["b.txt", "a.txt", "deep/c.txt", "%3Cscript%3E.txt"] { try await server.put("\(Self.root)/list/\(name)", Self.digits) }
                let page = try await server.send("GET", "\(Self.root)/list/", headers: ["Accept: text/html"])
                #expect(page.status == 200 && page.text.contains("a.txt") && page.text.contains("deep/"))
                #expect(!page.text.contains("<script>"))
                let list = try await server.send("GET", "\(Self.root)/list/", headers: ["Accept: application/json"])
                let value = try JSONSerialization.jsonObject(with: Data(list.body))
                #expect(list.headers["content-type"]?.contains("json") == true && "\(value)".contains("a.txt"))
            }
        }

        @Test(
            "a path that leaves the repository, or is none, is refused and touches nothing",
            arguments: [
                "/repository/files/../../etc/passwd", "/repository/files/%2e%2e/%2e%2e/etc/passwd", "/repository/files/a/..%2f..%2fb", "/repository/files/a//b",
                "/repository/files/%00", "/repository/files/a%zz", "/repository/files/%ff", "/repository/files/./a", "/repository/none/a",
            ])
        func paths(_ target: String) async throws {
            try await withServer { server in
                let put = try await server.send("PUT", target, body: Self.digits)
                #expect((400..<500).contains(put.status), "\(put.status)")
                let get = try await server.send("GET", target)
                #expect((400..<500).contains(get.status), "\(get.status)")
                #expect(!get.text.contains(server.folder.path) && !put.text.contains(server.folder.path))
            }
        }

        @Test(
            "a request that is too big in its head is refused, and the server goes on",
            arguments: [
                "GET /repository/files/\(String(repeating: "a", count: 100_000)) HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /repository/files/a HTTP/1.1\r\nHost: a\r\nX-Big: \(String(repeating: "b", count: 1_000_000))\r\n\r\n",
                "GET /repository/files/a HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X-Many: c\r\n", count: 20_000))\r\n",
                "GET /repository/files/a\r\n\r\n", "\u{16}\u{3}\u{1} not HTTP\r\n\r\n",
                "GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            ])
        func heads(_ text: String) async throws {
            try await withServer { server in
                let port = server.port
                let status = try await offPool {
                    let connection = try RawConnection(port: port)
                    connection.send(Array(text.utf8))
                    return connection.answer()?.status
                }
                // An answer may be lost to the reset that follows it.
                if let status { #expect((400..<500).contains(status)) }
                let after = try await server.send("GET", "/v2/")
                #expect(after.status == 200)
            }
        }

        @Test("a body that ends early is not kept")
        func cut() async throws {
            try await withServer { server in
                let port = server.port
                _ = try await offPool {
                    let connection = try RawConnection(port: port)
                    connection.send(Array("PUT \(Self.root)/cut HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nonly this".utf8))
                    connection.endSending()
                    return connection.answer(to: "PUT")?.status
                }
                let get = try await server.send("GET", "\(Self.root)/cut")
                #expect(get.status == 404)
            }
        }

        @Test("every answer of a repository says what it must, and uploaded HTML may not run")
        func headers() async throws {
            try await withServer { server in
                try await server.put("\(Self.root)/page.html", Array("<script>alert(1)</script>".utf8))
                let answer = try await server.send("GET", "\(Self.root)/page.html")
                #expect(answer.headers["x-content-type-options"] == "nosniff")
                #expect(answer.headers["content-security-policy"]?.contains("sandbox") == true)
                #expect(answer.headers["x-request-id"]?.isEmpty == false)
            }
        }
    }
}

extension ServerProcess {
    fileprivate func put(_ target: String, _ body: [UInt8]) async throws {
        let answer = try await self.send("PUT", target, body: body)
        try #require((200..<300).contains(answer.status), "PUT \(target): \(answer.status) \(answer.text)")
    }
}
