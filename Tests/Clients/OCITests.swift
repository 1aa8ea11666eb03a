import Foundation
import Testing

/// A request that a registry must refuse, or take, in exactly one way.
struct Probe: Sendable {
    var what: String
    var method: String
    var target: String
    var headers: [String] = []
    var body: [UInt8]? = nil
    var status: Set<Int>
    /// The error code in the body; nil where there is none to expect.
    var code: String? = nil

    private static let image = "docker-local/acme/probe"
    private static let absent = "sha256:" + String(repeating: "0", count: 64)
    private static let manifest = ["Content-Type: \(ServerProcess.manifestType)"]

    /// On an image with the tag `1` and nothing else.
    static let all: [Probe] = [
        Probe(what: "the root answers", method: "GET", target: "/v2/", status: [200]),
        Probe(what: "the root is not written to", method: "POST", target: "/v2/", status: [405], code: "UNSUPPORTED"),
        Probe(what: "an image that is not there", method: "GET", target: "/v2/docker-local/acme/none/tags/list", status: [404], code: "NAME_UNKNOWN"),
        Probe(
            what: "a name in capitals", method: "POST", target: "/v2/docker-local/Acme/uploads/blobs/uploads/", body: [], status: [400], code: "NAME_INVALID"),
        Probe(what: "an absent tag", method: "GET", target: "/v2/\(image)/manifests/none", status: [404], code: "MANIFEST_UNKNOWN"),
        Probe(what: "an absent manifest", method: "GET", target: "/v2/\(image)/manifests/\(absent)", status: [404], code: "MANIFEST_UNKNOWN"),
        Probe(what: "an absent blob", method: "GET", target: "/v2/\(image)/blobs/\(absent)", status: [404], code: "BLOB_UNKNOWN"),
        Probe(what: "a blob by a digest that is none", method: "GET", target: "/v2/\(image)/blobs/sha256:xyz", status: [400, 404]),
        Probe(what: "a tag without Accept", method: "GET", target: "/v2/\(image)/manifests/1", status: [200]),
        Probe(what: "a tag with */*", method: "GET", target: "/v2/\(image)/manifests/1", headers: ["Accept: */*"], status: [200]),
        Probe(what: "HEAD of a tag", method: "HEAD", target: "/v2/\(image)/manifests/1", status: [200]),
        Probe(what: "an unknown upload, asked", method: "GET", target: "/v2/\(image)/blobs/uploads/none", status: [404], code: "BLOB_UPLOAD_UNKNOWN"),
        Probe(
            what: "an unknown upload, sent to", method: "PATCH", target: "/v2/\(image)/blobs/uploads/none", body: [1], status: [404],
            code: "BLOB_UPLOAD_UNKNOWN"),
        Probe(
            what: "an unknown upload, closed", method: "PUT", target: "/v2/\(image)/blobs/uploads/none?digest=\(absent)", body: [1], status: [404],
            code: "BLOB_UPLOAD_UNKNOWN"),
        Probe(what: "an unknown upload, ended", method: "DELETE", target: "/v2/\(image)/blobs/uploads/none", status: [404], code: "BLOB_UPLOAD_UNKNOWN"),
        Probe(
            what: "a mount of what is not there becomes an upload", method: "POST",
            target: "/v2/\(image)/blobs/uploads/?mount=\(absent)&from=docker-local/acme/none", body: [], status: [202]),
        Probe(
            what: "a mount in docker's spelling becomes an upload", method: "POST",
            target: "/v2/\(image)/blobs/uploads/?from=docker-local%2Facme%2Fnone&mount=sha256%3A\(absent.dropFirst(7))", body: [], status: [202]),
        Probe(
            what: "a manifest that is no JSON", method: "PUT", target: "/v2/\(image)/manifests/bad", headers: manifest, body: Array("{".utf8), status: [400],
            code: "MANIFEST_INVALID"),
        Probe(
            what: "a manifest whose blob is not there", method: "PUT", target: "/v2/\(image)/manifests/bad", headers: manifest,
            body: ServerProcess.manifest(of: absent, size: 7), status: [400, 404], code: "MANIFEST_BLOB_UNKNOWN"),
        Probe(
            what: "a manifest under another's digest", method: "PUT", target: "/v2/\(image)/manifests/\(absent)", headers: manifest,
            body: Array(#"{"schemaVersion":2,"manifests":[]}"#.utf8), status: [400]),
        Probe(what: "a tag that is none", method: "PUT", target: "/v2/\(image)/manifests/-x", headers: manifest, body: Array("{}".utf8), status: [400, 404]),
        Probe(
            what: "a manifest without end", method: "PUT", target: "/v2/\(image)/manifests/big", headers: manifest,
            body: [UInt8](repeating: 32, count: 9 << 20), status: [400, 413]),
        Probe(what: "referrers of what is not there are an empty index", method: "GET", target: "/v2/\(image)/referrers/\(absent)", status: [200]),
        Probe(what: "no tags asked for", method: "GET", target: "/v2/\(image)/tags/list?n=0", status: [200]),
        Probe(what: "fewer than no tags", method: "GET", target: "/v2/\(image)/tags/list?n=-1", status: [200, 400]),
        Probe(what: "an absent tag, deleted", method: "DELETE", target: "/v2/\(image)/manifests/none", status: [404], code: "MANIFEST_UNKNOWN"),
    ]
}

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
