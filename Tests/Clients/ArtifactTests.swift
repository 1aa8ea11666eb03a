import Foundation
import Testing

extension Clients {
    @Suite("artifacts", .timeLimit(.minutes(5))) struct Artifacts {
        @Test(
            "helm pushes signed charts, lists their versions, and pulls and verifies the same bytes",
            .enabled(if: Surroundings.isThere(Surroundings.pythonHelm), "not installed; see scripts/python-clients"), .needs("gpg"))
        func helm() async throws {
            try await Self.run("helm_roundtrip.py", Surroundings.pythonHelm, "docker-local/charts", inFolder: "helm")
        }

        @Test(
            "modelpack pushes a model whole and in chunks, and pulls the same bytes",
            .enabled(if: Surroundings.isThere(Surroundings.pythonClients), "not installed; see scripts/python-clients"))
        func modelPack() async throws {
            try await Self.run("modelpack_roundtrip.py", Surroundings.pythonClients, "docker-local/models/tiny", inFolder: "model")
        }

        @Test(
            "what refers to an image is listed by type, copied with it, signed, and merged with lists that clients keep themselves",
            .enabled(if: Surroundings.isThere(Surroundings.pythonClients), "not installed; see scripts/python-clients"))
        func signatures() async throws {
            try await Self.run("signatures.py", Surroundings.pythonClients, "docker-local/acme/signed", inFolder: "signed")
        }

        @Test("build caches and images with attestations are pushed, pulled and deleted", .needs("python3"))
        func buildCache() async throws {
            try await Self.run("build_cache.py", "python3", "docker-local/acme/built")
        }

        @Test("an upload of which half came goes on, after kill -9, from where the server says it is")
        func resumedAfterKill() async throws {
            try await withTemporaryFolder { folder in
                let image = "docker-local/acme/resumed"
                let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
                let half = bytes.count / 2
                let name = try await digest(of: bytes, in: folder)
                var server = try await ServerProcess.start(in: folder)
                let taken = try await server.send(
                    "PATCH", try await server.openUpload(image), headers: ["Content-Range: 0-\(half - 1)"], body: Array(bytes[..<half]))
                try #require(taken.status == 202 && taken.headers["range"] == "0-\(half - 1)")
                await server.kill()

                server = try await server.restarted()
                let state = try await server.send("GET", try server.target(taken))
                // What was acknowledged is there.
                #expect(state.status == 204 && state.headers["range"] == "0-\(half - 1)", "\(state.status) \(state.headers)")
                let range = try #require(state.headers["range"]).split(separator: "-")
                let next = try #require(range.last.flatMap { Int($0) }) + 1
                let rest = try await server.send(
                    "PATCH", try server.target(state), headers: ["Content-Range: \(next)-\(bytes.count - 1)"], body: Array(bytes[next...]))
                try #require(rest.status == 202, "\(rest.text)")
                let closed = try await server.send("PUT", server.closing(try server.target(rest), name), body: [])
                #expect(closed.status == 201 && closed.headers["docker-content-digest"] == name, "\(closed.text)")
                await server.kill()

                server = try await server.restarted()
                let back = try await server.send("GET", "/v2/\(image)/blobs/\(name)")
                #expect(back.status == 200 && back.body == bytes)
                #expect(await server.stop() == 0)
            }
        }

        private static func run(_ script: String, _ python: String, _ image: String, inFolder name: String? = nil) async throws {
            try await withServer { server in
                let folder = name.map { server.folder.appending(path: $0).path }
                try await succeed(
                    [python, Surroundings.script(script), server.host, image] + (folder.map { [$0] } ?? []), in: server.folder, deadline: .seconds(120))
            }
        }
    }
}
