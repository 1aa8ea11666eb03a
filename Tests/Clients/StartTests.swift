import Foundation
import Testing

extension Clients {
    @Suite("start and stop", .timeLimit(.minutes(3))) struct Start {
        @Test("an empty folder is served at once, in less than 60 MB, and SIGTERM ends it with 0")
        func idle() async throws {
            let clock = ContinuousClock()
            let began = clock.now
            try await withServer { server in
                #expect(try await server.send("GET", "/v2/").status == 200)
                let first = began.duration(to: clock.now)
                let memory = try server.memory("VmRSS")
                print("start to first answer \(first), idle memory \(memory >> 20) MiB")
                #expect(memory < 60_000_000)
            }
        }

        @Test("an idle kept-open connection does not hold up the stop")
        func drain() async throws {
            try await withServer { server in
                let port = server.port
                let connection = try await offPool {
                    let connection = try RawConnection(port: port)
                    connection.send(Array("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
                    #expect(connection.answer()?.status == 200)
                    return connection
                }
                #expect(await server.stop() == 0)
                withExtendedLifetime(connection) {}
            }
        }

        @Test("a second server on the same data is refused and says who holds it")
        func locked() async throws {
            try await withServer { server in
                let second = try await run(
                    [Surroundings.binary, "serve", "--config", server.configurationFile.path, "--data", server.data.path, "--listen", "127.0.0.1:0"],
                    in: server.folder, deadline: .seconds(15))
                #expect(second.status == 1)
                #expect(second.errors.contains("\(server.child.pid)"), "\(second.errors)")
            }
        }

        @Test("plain HTTP on every address is refused unless the configuration allows it")
        func everyAddress() async throws {
            try await withTemporaryFolder { folder in
                let file = folder.appending(path: "entrepot.yaml")
                try Data(ServerProcess.configuration.utf8).write(to: file)
                let data = folder.appending(path: "data").path
                let ended = try await run(
                    [Surroundings.binary, "serve", "--config", file.path, "--data", data, "--listen", "0.0.0.0:0"], in: folder, deadline: .seconds(15))
                #expect(ended.status == 1)
                #expect(!ended.errors.isEmpty)
            }
        }
    }

    @Suite("commands", .timeLimit(.minutes(3))) struct Commands {
        @Test(
            "config check names file, line and column of what is wrong",
            arguments: [
                ("repositories:\n  files: { format: raw, type: hosted }\n  oops: { format: raw, tipe: hosted }\n", 3),
                ("repositories:\n  files: { format: tar, type: hosted }\n", 2),
                ("server:\n  listen: [\n", 2),
                ("configVersion: 99\n", 1),
            ])
        func broken(_ text: String, _ line: Int) async throws {
            try await withTemporaryFolder { folder in
                let file = folder.appending(path: "broken.yaml")
                try Data(text.utf8).write(to: file)
                let ended = try await run([Surroundings.binary, "config", "check", "--config", file.path], in: folder, deadline: .seconds(15))
                #expect(ended.status == 1)
                let place = ended.errors.firstMatch(of: #/broken\.yaml:(\d+):(\d+)/#)
                // The YAML reader may see the end of an open list one line later.
                let found = try #require(place.flatMap { Int($0.output.1) }, "\(ended.errors)")
                #expect((line...(line + 1)).contains(found), "\(ended.errors)")
            }
        }

        @Test("config check accepts the configuration that is shipped", .enabled(if: FileManager.default.fileExists(atPath: shipped)))
        func shippedConfiguration() async throws {
            try await withTemporaryFolder { folder in
                try await succeed([Surroundings.binary, "config", "check", "--config", shipped], in: folder)
            }
        }

        @Test("status and blobs gc work beside a running server, and without one")
        func beside() async throws {
            try await withTemporaryFolder { folder in
                let server = try await ServerProcess.start(in: folder)
                let options = ["--config", server.configurationFile.path, "--data", server.data.path]
                for command in [["status"], ["blobs", "gc"]] {
                    try await succeed([Surroundings.binary] + command + options, in: folder)
                }
                #expect(await server.stop() == 0)
                try await succeed([Surroundings.binary, "blobs", "gc"] + options, in: folder)
            }
        }

        @Test("wrong usage ends with 2, version with 0")
        func usage() async throws {
            try await withTemporaryFolder { folder in
                let wrong = try await run([Surroundings.binary, "serve", "--no-such-option"], in: folder)
                #expect(wrong.status == 2)
                let version = try await run([Surroundings.binary, "version"], in: folder)
                #expect(version.status == 0)
            }
        }
    }
}

private let shipped = Surroundings.root.appending(path: "config/entrepot.yaml").path
