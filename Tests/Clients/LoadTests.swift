import Foundation
import Testing

extension Clients {
    @Suite("load", .timeLimit(.minutes(60))) struct Load {
        @Test("a big layer goes in and out whole, and the server's memory does not follow its size", .needs("python3"))
        func bigLayer() async throws {
            try await withServer { server in
                let before = try server.memory("VmRSS")
                let size = Surroundings.isFull ? 2048 : 256
                try await Self.python("big_layer.py", "\(server.port)", "\(size)", server: server, deadline: .seconds(600))
                let peak = try server.memory("VmHWM")
                print("\(size) MiB in and out: \(before >> 20) MiB resident before, \(peak >> 20) MiB at most")
                #expect(peak - before < 64_000_000)
            }
        }

        @Test("sixteen pushes of one blob, and two of one tag, all succeed and leave what they said", .needs("python3"), arguments: ["blob", "tag"])
        func atOnce(_ what: String) async throws {
            try await withServer { server in
                try await Self.python("side_by_side.py", what, "\(server.port)", server: server, deadline: .seconds(180))
            }
        }

        @Test("after kill -9 at any moment of a mixed load, what was acknowledged is whole and nothing half is visible", .needs("python3"))
        func crashes() async throws {
            try await withTemporaryFolder { folder in
                try Data(ServerProcess.configuration.utf8).write(to: folder.appending(path: "entrepot.yaml"))
                let said = try await succeed(
                    ["python3", Surroundings.script("crash.py"), Surroundings.binary, folder.path, Surroundings.isFull ? "1000" : "50"],
                    environment: ["PYTHONDONTWRITEBYTECODE": "1"], in: folder, deadline: .seconds(Surroundings.isFull ? 2400 : 300))
                print(said.trimmingCharacters(in: .whitespacesAndNewlines))
            }
        }

        @Test("deleting what is being read does not cut the reader", arguments: ["blob", "file"])
        func deleteWhileRead(_ what: String) async throws {
            try await withServer { server in
                // More than the sockets' buffers hold, so that the reader is really in the middle.
                let bytes = (0..<(24 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 7) }
                let target: String
                if what == "file" {
                    target = "/repository/files/read/me.bin"
                    let put = try await server.send("PUT", target, body: bytes)
                    #expect((200..<300).contains(put.status))
                } else {
                    target = "/v2/docker-local/acme/read/blobs/" + (try await server.pushBlob(bytes, to: "docker-local/acme/read"))
                }
                let port = server.port
                let reader = try await offPool {
                    let reader = try RawConnection(port: port)
                    reader.send(Array("GET \(target) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8))
                    return (connection: reader, begun: reader.receive(1000))
                }
                let deleted = try await server.send("DELETE", target)
                #expect((200..<300).contains(deleted.status))
                let rest = try await offPool {
                    var all = reader.begun
                    while case let more = reader.connection.receive(1 << 20), !more.isEmpty { all += more }
                    return all
                }
                let head = try #require(rest.firstRange(of: Array("\r\n\r\n".utf8)))
                #expect(Array(rest[head.upperBound...]) == bytes)
                let after = try await server.send("GET", target)
                #expect(after.status == 404)
            }
        }

        @discardableResult
        private static func python(_ script: String, _ arguments: String..., server: ServerProcess, deadline: Duration) async throws -> String {
            try await succeed(
                ["python3", Surroundings.script(script)] + arguments, environment: ["PYTHONDONTWRITEBYTECODE": "1"], in: server.folder, deadline: deadline)
        }
    }
}
