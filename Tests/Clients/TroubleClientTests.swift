import Foundation
import Testing

extension Clients {
    @Suite("clients of an upstream in trouble", .timeLimit(.minutes(8)), .needsRoot, .timed) struct TroubleClients {
        private static let troubles = ["stopped", "hanging", "429", "401", "403", "500", "garbage"]
        private static let names = ["library/app:1", "library/docker:dind"]

        /// A proxy that asks its upstream at every pull, and what stands between.
        private struct Ground {
            let gate: Int
            let server: ServerProcess
            let root: String

            func be(_ trouble: String) async throws {
                try await succeed(["curl", "--silent", "--fail", "-X", "PUT", "http://127.0.0.1:\(self.gate)/trouble/\(trouble)"], in: self.server.folder)
            }

            /// Until what was pulled is kept: what a pull leaves to be fetched ahead and committed comes after its end.
            func settle() async throws {
                for _ in 0..<400 {
                    let text = try await succeed(["curl", "--silent", "\(self.server.url)/metrics"], in: self.server.folder)
                    if text.contains("\nentrepot_fills 0\n") { return }
                    try await Task.sleep(for: .milliseconds(50))
                }
                Issue.record("what was pulled is never kept")
            }
        }

        private func withGround(_ body: (Ground) async throws -> Void) async throws {
            try await withTemporaryFolder { folder in
                let upstream = try await UpstreamRegistry.start(in: folder, images: Self.names)
                let environment = ["PYTHONDONTWRITEBYTECODE": "1"]
                let gate = try ChildProcess(["python3", Surroundings.script("trouble_gate.py"), "\(upstream.port)"], environment: environment, in: folder)
                var server: ServerProcess?
                do {
                    var port: Int?
                    _ = await eventually(within: .seconds(30)) {
                        port = gate.outputText.firstMatch(of: #/listening on 127\.0\.0\.1:(\d+)/#).flatMap { Int($0.output.1) }
                        return port != nil || !gate.isRunning
                    }
                    let place = try #require(port, "\(gate.errorText)")
                    let started = try await ServerProcess.start(in: folder, configuration: Self.configuration(place))
                    server = started
                    let roots = started.child.outputText.matches(of: #/listening on http://(\S+)/#).map { String($0.output.1) }
                    try await body(Ground(gate: place, server: started, root: try #require(roots.last)))
                    Self.report(started)
                    #expect(await started.stop() == 0)
                } catch {
                    await server?.kill()
                    gate.signal(SIGKILL)
                    await upstream.stop()
                    throw error
                }
                gate.signal(SIGKILL)
                await upstream.stop()
            }
        }

        private static func configuration(_ gate: Int) -> String {
            """
            docker:
              namespaces: { docker.io: hub }
            repositories:
              hub:
                format: docker
                type: proxy
                remote: "http://127.0.0.1:\(gate)"
                officialPrefix: library
                cache: { maxAge: 0s }
                mirror: true
                listen: "127.0.0.1:0"

            """
        }

        /// The figure for people; what fails is a client.
        private static func report(_ server: ServerProcess) {
            let times = (server.child.outputText + server.child.errorText).matches(of: #/"ms":([0-9.]+),"operation":"(?:manifest|blob)/#).compactMap {
                Double($0.output.1)
            }
            print("slowest answer to a client with the upstream in trouble: \(times.max() ?? 0) ms of \(times.count)")
        }

        @Test("dockerd pulls what is kept, whatever is wrong with the upstream", .needs("dockerd", "docker", "docker-registry", "python3", "busybox"))
        func docker() async throws {
            try await self.withGround { ground in
                try await withDocker(in: ground.server.folder, mirrors: ["http://\(ground.root)"]) { docker in
                    let names = ["app:1", "docker:dind"]
                    for name in names { try await docker.succeed(["pull", name]) }
                    try await ground.settle()
                    for trouble in Self.troubles {
                        try await ground.be(trouble)
                        let all = try await docker.succeed(["images", "--all", "--quiet", "--no-trunc"]).split(separator: "\n").map(String.init)
                        try await docker.succeed(["rmi", "--force"] + Set(all))
                        for name in names {
                            let pulled = try await docker.run(["pull", name])
                            #expect(pulled.status == 0, "\(trouble): \(pulled.errors)")
                        }
                    }
                }
            }
        }

        @Test("skopeo copies what is kept, whatever is wrong with the upstream", .needs("skopeo", "docker-registry", "python3", "busybox"))
        func skopeo() async throws {
            try await self.withGround { ground in
                let folder = ground.server.folder
                let copy = ["skopeo", "copy", "--all", "--preserve-digests", "--src-tls-verify=false", "docker://\(ground.server.host)/hub/app:1"]
                let tools = try ContainerStore(in: folder, registries: "")
                try await tools.succeed(copy + ["dir:\(folder.path)/first"])
                try await ground.settle()
                for trouble in Self.troubles {
                    try await ground.be(trouble)
                    let copied = try await tools.run(copy + ["dir:\(folder.path)/\(trouble)"])
                    #expect(copied.status == 0, "\(trouble): \(copied.errors)")
                    try await succeed(["diff", "-r", "\(folder.path)/first", "\(folder.path)/\(trouble)"], in: folder)
                }
            }
        }

        @Test("containerd pulls what is kept, whatever is wrong with the upstream", .needs("containerd", "ctr", "docker-registry", "python3", "busybox"))
        func containerd() async throws {
            try await self.withGround { ground in
                let folder = ground.server.folder
                let hosts = folder.appending(path: "certs.d/docker.io")
                try FileManager.default.createDirectory(at: hosts, withIntermediateDirectories: true)
                let text = "server = \"\(ground.server.url)\"\n[host.\"\(ground.server.url)\"]\n  capabilities = [\"pull\", \"resolve\"]\n"
                try Data(text.utf8).write(to: hosts.appending(path: "hosts.toml"))
                let names = Self.names.map { "docker.io/\($0)" }
                try await withContainerd(in: folder) { socket in
                    let ctr = ["ctr", "--address", socket, "--namespace", "test"]
                    let pull = ctr + ["image", "pull", "--hosts-dir", folder.appending(path: "certs.d").path, "--snapshotter", "native"]
                    for name in names { try await succeed(pull + [name], in: folder) }
                    try await ground.settle()
                    for trouble in Self.troubles {
                        try await ground.be(trouble)
                        try await succeed(ctr + ["image", "remove", "--sync"] + names, in: folder)
                        for name in names {
                            let pulled = try await run(pull + [name], in: folder)
                            #expect(pulled.status == 0, "\(trouble): \(pulled.errors)")
                        }
                    }
                }
            }
        }
    }
}
