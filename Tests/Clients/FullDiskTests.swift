import Foundation
import Testing

extension Clients {
    /// A small file system of the server's own, filled by pushes and then to its last byte by somebody else.
    @Suite("a full disk", .timeLimit(.minutes(5)), .needsRoot) struct FullDisk {
        private static let size = 64 << 20

        private static func withSmallDisk(_ body: (ServerProcess) async throws -> ServerProcess) async throws {
            try await withTemporaryFolder { folder in
                let data = folder.appending(path: "data").path
                try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
                try await succeed(["mount", "-t", "tmpfs", "-o", "size=\(Self.size),mode=0700", "tmpfs", data], in: folder)
                let outcome: Result<Void, any Error>
                do {
                    let server = try await body(try await ServerProcess.start(in: folder))
                    let status = await server.stop()
                    #expect(status == 0, "\(server.child.errorText.suffix(2000))")
                    outcome = .success(())
                } catch {
                    outcome = .failure(error)
                }
                // Lazily: a server that a failed test left holds it until it is ended with the test's process.
                try await succeed(["umount", "-l", data], in: folder)
                try outcome.get()
            }
        }

        private static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
            var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
            return (0..<count).map { _ in
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                return UInt8(truncatingIfNeeded: state)
            }
        }

        /// As docker sends a layer: without its length.
        private static func chunked(_ bytes: [UInt8]) -> [UInt8] {
            var out: [UInt8] = []
            for start in stride(from: 0, to: bytes.count, by: 1 << 20) {
                let piece = bytes[start..<min(start + (1 << 20), bytes.count)]
                out += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
            }
            return out + Array("0\r\n\r\n".utf8)
        }

        /// Another process takes what is left, to the last byte.
        private static func fill(_ server: ServerProcess) async throws {
            _ = try await run(["dd", "if=/dev/zero", "of=\(server.data.path)/filler", "bs=4096", "status=none"], in: server.folder)
        }

        static func gc(_ server: ServerProcess) async throws -> String {
            try await succeed(
                [Surroundings.binary, "blobs", "gc", "--config", server.configurationFile.path, "--data", server.data.path], in: server.folder)
        }

        @Test(
            "pushes of every kind are refused with 507, reads go on, deletes are answered, and what they free is there for the next push",
            .needs("dd", "python3"))
        func whole() async throws {
            try await Self.withSmallDisk { first in
                var server = first
                try await server.pushImage("docker-local/app", tag: "1")
                #expect(try await server.send("PUT", "/repository/files/small", body: Array("small".utf8)).status < 300)
                // Until a push is refused: each of 4 MiB, and kept where it is acknowledged.
                var kept: [String: [UInt8]] = [:]
                var refused: Answer?
                for number in 0..<20 where refused == nil {
                    let content = Self.bytes(4 << 20, seed: UInt64(number + 1))
                    let answer = try await server.send("PUT", "/repository/files/big/\(number)", body: content)
                    if answer.status < 300 { kept["/repository/files/big/\(number)"] = content } else { refused = answer }
                }
                #expect(refused?.status == 507)
                #expect(kept.count > 8)
                try await Self.expectRefusals(server)
                try await server.endHolds()
                try await Self.fill(server)
                #expect(try await server.send("GET", "/health/ready").status == 200)
                for (path, content) in kept { #expect(try await server.send("GET", path).body == content) }
                // Three kinds of deletes, on a disk without a byte.
                #expect(try await server.send("DELETE", "/v2/docker-local/app/manifests/1").status == 202)
                let paths = kept.keys.sorted()
                for path in paths.prefix(3) {
                    #expect(try await server.send("DELETE", path).status == 204)
                    kept[path] = nil
                }
                let freed = try await Self.gc(server)
                #expect(freed.contains("freed") && !freed.contains("freed 0 blobs"), "\(freed)")
                // What was freed is enough for a push, with the filler where it is.
                let again = Self.bytes(2 << 20, seed: 99)
                #expect(try await server.send("PUT", "/repository/files/again", body: again).status < 300)
                kept["/repository/files/again"] = again
                await server.kill()
                try await Self.fill(server)
                server = try await server.restarted()
                for (path, content) in kept { #expect(try await server.send("GET", path).body == content) }
                #expect(try await server.send("DELETE", "/repository/files/again").status == 204)
                try FileManager.default.removeItem(at: server.data.appending(path: "filler"))
                #expect(try await server.send("PUT", "/repository/files/after", body: again).status < 300)
                return server
            }
        }

        private static func expectRefusals(_ server: ServerProcess) async throws {
            let large = Self.bytes(16 << 20, seed: 7)
            let upload = try await server.openUpload("docker-local/app")
            let port = server.port
            let host = server.host
            let chunkedAnswer = try await offPool {
                let connection = try RawConnection(port: port)
                connection.send(
                    Array("PATCH \(upload) HTTP/1.1\r\nHost: \(host)\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".utf8) + Self.chunked(large))
                return connection.answer(to: "PATCH")
            }
            let monolithic = try await server.send(
                "PUT", server.closing(try await server.openUpload("docker-local/app"), "sha256:" + String(repeating: "0", count: 64)), body: large)
            for answer in [chunkedAnswer, monolithic] {
                #expect(answer?.status == 507)
                #expect(answer?.text.contains(#""errors""#) == true)
            }
            // What came before the refusal is the upload's, so that it can go on.
            #expect(try await server.send("GET", upload).status == 204)
        }

        @Test("a layer that no manifest uses goes by gc, one in use stays until its manifest is deleted, and its bytes with it", .needs("python3"))
        func unusedLayers() async throws {
            try await withTemporaryFolder { folder in
                let configuration = ServerProcess.configuration.replacing(
                    "docker-local: { format: docker, type: hosted }", with: "docker-local: { format: docker, type: hosted, unusedBlobAge: 0s }")
                let server = try await ServerProcess.start(in: folder, configuration: configuration)
                let unused = try await server.pushBlob(Array("unused".utf8), to: "docker-local/app")
                let manifest = try await server.pushImage("docker-local/app", tag: "1", content: "used")
                let used = try await digest(of: Array("used".utf8), in: folder)
                _ = try await Self.gc(server)
                #expect(try await server.send("GET", "/v2/docker-local/app/blobs/\(unused)").status == 404)
                #expect(try await server.send("GET", "/v2/docker-local/app/blobs/\(used)").status == 200)
                let name = try await digest(of: manifest, in: folder)
                #expect(try await server.send("DELETE", "/v2/docker-local/app/manifests/\(name)").status == 202)
                try await server.endHolds()
                let freed = try await Self.gc(server)
                #expect(freed.contains("freed 3 blobs"), "\(freed)")
                #expect(try await server.send("GET", "/v2/docker-local/app/blobs/\(used)").status == 404)
                #expect(await server.stop() == 0)
            }
        }
    }
}
