import Foundation
import Testing

extension Clients {
    @Suite("OCI requests", .timeLimit(.minutes(5))) struct OCI {
        private static let image = "docker-local/acme/probe"

        @Test("odd requests have their one answer, and the envelope that clients read")
        func probes() async throws {
            try await withServer { server in
                try await server.pushImage(Self.image, tag: "1")
                for probe in Probe.all {
                    let answer = try await server.send(probe.method, probe.target, headers: probe.headers, body: probe.body)
                    #expect(probe.status.contains(answer.status), "\(probe.what): \(answer.status) \(answer.text.prefix(300))")
                    guard let code = probe.code else { continue }
                    #expect(answer.text.contains("\"\(code)\"") && answer.text.contains("\"errors\""), "\(probe.what): \(answer.text.prefix(300))")
                }
            }
        }

        @Test("bytes under a wrong digest are refused, stay unread, and the upload can be begun anew")
        func wrongDigest() async throws {
            try await withServer { server in
                let bytes = Array("these bytes".utf8)
                let right = try await digest(of: bytes, in: server.folder)
                let wrong = try await digest(of: Array("others".utf8), in: server.folder)
                for bad in [wrong, "sha256:12", "md5:d41d8cd98f00b204e9800998ecf8427e", ""] {
                    let answer = try await server.send("PUT", server.closing(try await server.openUpload(Self.image), bad), body: bytes)
                    #expect(answer.status == 400 && answer.text.contains("DIGEST_INVALID"), "\(bad): \(answer.status) \(answer.text)")
                }
                for name in [right, wrong] {
                    let answer = try await server.send("HEAD", "/v2/\(Self.image)/blobs/\(name)")
                    #expect(answer.status == 404)
                }
                let name = try await server.pushBlob(bytes, to: Self.image)
                #expect(name == right)
            }
        }

        @Test("chunks in order are joined; one out of order is refused with 416 and not appended")
        func chunks() async throws {
            try await withServer { server in
                let first = Array("first,".utf8)
                let second = Array("second".utf8)
                var upload = try await server.openUpload(Self.image)
                let taken = try await server.send("PATCH", upload, headers: ["Content-Range: 0-5"], body: first)
                #expect(taken.status == 202 && taken.headers["range"] == "0-5")
                upload = try server.target(taken)
                for bad in ["0-5", "7-12"] {
                    let refused = try await server.send("PATCH", upload, headers: ["Content-Range: \(bad)"], body: second)
                    #expect(refused.status == 416)
                }
                let state = try await server.send("GET", upload)
                #expect(state.status == 204 && state.headers["range"] == "0-5")
                upload = try server.target(state)
                let more = try await server.send("PATCH", upload, headers: ["Content-Range: 6-11"], body: second)
                #expect(more.status == 202 && more.headers["range"] == "0-11")
                let name = try await digest(of: first + second, in: server.folder)
                let done = try await server.send("PUT", server.closing(try server.target(more), name), body: [])
                #expect(done.status == 201 && done.headers["docker-content-digest"] == name)
                let back = try await server.send("GET", "/v2/\(Self.image)/blobs/\(name)")
                #expect(back.body == first + second)
            }
        }

        @Test("an upload is where it was after a restart, and goes on from there")
        func restart() async throws {
            try await withTemporaryFolder { folder in
                var server = try await ServerProcess.start(in: folder)
                let taken = try await server.send("PATCH", try await server.openUpload(Self.image), headers: ["Content-Range: 0-5"], body: Array("first,".utf8))
                #expect(taken.status == 202)
                let status = await server.stop()
                #expect(status == 0)
                server = try await server.restarted()
                let state = try await server.send("GET", try server.target(taken))
                #expect(state.status == 204 && state.headers["range"] == "0-5")
                let name = try await digest(of: Array("first,second".utf8), in: folder)
                let done = try await server.send(
                    "PUT", server.closing(try server.target(state), name), headers: ["Content-Range: 6-11"], body: Array("second".utf8))
                #expect(done.status == 201 && done.headers["docker-content-digest"] == name)
                await server.kill()
            }
        }

        @Test("a body that ends early makes no blob, and the blob can be pushed anew", arguments: ["PATCH", "PUT"])
        func cut(_ method: String) async throws {
            try await withServer { server in
                let upload = try await server.openUpload(Self.image)
                let bytes = Array("whole text".utf8)
                let name = try await digest(of: bytes, in: server.folder)
                let target = method == "PUT" ? server.closing(upload, name) : upload
                let port = server.port
                _ = try await offPool {
                    let connection = try RawConnection(port: port)
                    connection.send(Array("\(method) \(target) HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nwhole".utf8))
                    connection.endSending()
                    return connection.answer(to: method)?.status
                }
                let absent = try await server.send("HEAD", "/v2/\(Self.image)/blobs/\(name)")
                #expect(absent.status == 404)
                let again = try await server.pushBlob(bytes, to: Self.image)
                #expect(again == name)
            }
        }

        @Test("a blob is mounted from another image, and readable only where it was linked")
        func mount() async throws {
            try await withServer { server in
                let name = try await server.pushBlob(Array("shared".utf8), to: "docker-local/acme/from")
                let unlinked = try await server.send("HEAD", "/v2/docker-local/acme/to/blobs/\(name)")
                #expect(unlinked.status == 404)
                let mounted = try await server.send(
                    "POST", "/v2/docker-local/acme/to/blobs/uploads/?from=docker-local%2Facme%2Ffrom&mount=\(name)&origin=x", body: [])
                #expect(mounted.status == 201 && mounted.headers["docker-content-digest"] == name)
                let linked = try await server.send("GET", "/v2/docker-local/acme/to/blobs/\(name)")
                #expect(linked.text == "shared")
            }
        }

        @Test("a manifest is served byte for byte, by tag and by digest, also after a restart")
        func manifests() async throws {
            try await withTemporaryFolder { folder in
                var server = try await ServerProcess.start(in: folder)
                let bytes = try await server.pushImage(Self.image, tag: "1")
                let name = try await digest(of: bytes, in: folder)
                for _ in 0..<2 {
                    for target in ["/v2/\(Self.image)/manifests/1", "/v2/acme/probe/manifests/\(name)"] {
                        let answer = try await server.send("GET", target)
                        #expect(answer.body == bytes && answer.headers["docker-content-digest"] == name)
                        #expect(answer.headers["content-type"] == ServerProcess.manifestType)
                        let head = try await server.send("HEAD", target)
                        #expect(head.headers["content-length"] == "\(bytes.count)")
                    }
                    let status = await server.stop()
                    #expect(status == 0)
                    server = try await server.restarted()
                }
                await server.kill()
            }
        }

        @Test("tags are listed in the order of their bytes, by pages that follow their link")
        func pages() async throws {
            try await withServer { server in
                let tags = ["a", "b", "B", "c", "1.10", "1.9"]
                for tag in tags { try await server.pushImage(Self.image, tag: tag) }
                var target: String? = "/v2/\(Self.image)/tags/list?n=2"
                var seen: [String] = []
                while let page = target, seen.count <= tags.count {
                    let answer = try await server.send("GET", page)
                    let value = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
                    seen += value?["tags"] as? [String] ?? []
                    target = answer.headers["link"]?.firstMatch(of: #/<(?:https?:\/\/[^\/]*)?([^>]+)>/#).map { String($0.output.1) }
                }
                #expect(seen == tags.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
            }
        }
    }
}
