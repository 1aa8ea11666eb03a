import Foundation
import Testing

extension Clients {
    @Suite("docker and containerd through a proxy", .timeLimit(.minutes(8)), .needsRoot, .timed) struct ProxyEngines {
        @Test(
            "dockerd with a mirror pulls and runs Docker Hub's short names, whoever it is signed in to, and again when the upstream is gone",
            .needs("dockerd", "docker", "docker-registry", "python3", "busybox", "htpasswd", "openssl"))
        func docker() async throws {
            try await withProxy(guarded: .tokens) { ground in
                try await withTemporaryFolder { folder in
                    let other = try await UpstreamRegistry.start(in: folder, guarded: .passwords, images: ["private/app:1"])
                    do {
                        try await withDocker(in: ground.server.folder, mirrors: ["http://\(ground.root)"]) { try await Self.pull($0, ground, other) }
                        await other.stop()
                    } catch {
                        await other.stop()
                        throw error
                    }
                }
            }
        }

        private static func pull(_ docker: DockerCommand, _ ground: ProxyGround, _ other: UpstreamRegistry) async throws {
            let names = ["app:1", "docker:dind", "team/app:1"]
            var pulled: [String] = []
            for name in names {
                try await docker.succeed(["pull", name])
                pulled.append(try await Self.identity(of: name, docker))
            }
            #expect(pulled.map { $0.split(separator: " ").last } == ["library/app\n", "library/docker\n", "team/app\n"])
            #expect(try await docker.succeed(["run", "--rm", "--network", "none", "app:1", "echo", "hello"]) == "hello\n")
            await Self.expectOneOfEach(ground.upstream)
            // Signed in at another registry, which is asked with these credentials, and at Docker Hub, whose credentials are no mirror's business.
            let login = ["login", "--username", UpstreamRegistry.user, "--password", UpstreamRegistry.password, "127.0.0.1:\(other.port)"]
            try await docker.succeed(login)
            try await docker.succeed(["pull", "127.0.0.1:\(other.port)/private/app:1"])
            try Self.signInAtHub(docker)
            try await Self.forget(docker)
            for (name, before) in zip(names, pulled) {
                try await docker.succeed(["pull", name])
                #expect(try await Self.identity(of: name, docker) == before)
            }
            await ground.upstream.stop()
            try await Self.forget(docker)
            for (name, before) in zip(names, pulled) {
                try await docker.succeed(["pull", name])
                #expect(try await Self.identity(of: name, docker) == before)
            }
            #expect(try await docker.succeed(["run", "--rm", "--network", "none", "docker:dind", "echo", "hello"]) == "hello\n")
            let refused = try await docker.run(["pull", "\(ground.server.host)/refused/app:1"])
            #expect(refused.status != 0 && ["not found", "denied", "login", UpstreamRegistry.password].allSatisfy { !refused.errors.contains($0) })
            let byDigest = try await docker.succeed(["image", "inspect", "--format", "{{index .RepoDigests 0}}", "app:1"])
            try await Self.forget(docker)
            try await docker.succeed(["pull", byDigest.trimmingCharacters(in: .whitespacesAndNewlines)])
        }

        @Test(
            "BuildKit asks the mirror for the frontend that a recipe names, and for what it builds from",
            .needs("dockerd", "docker", "docker-registry", "python3", "busybox"))
        func buildKit() async throws {
            try await withProxy { ground in
                try await withDocker(in: ground.server.folder, mirrors: ["http://\(ground.root)"]) { docker in
                    let context = ground.server.folder.appending(path: "recipe")
                    try FileManager.default.createDirectory(at: context, withIntermediateDirectories: true)
                    let recipe = context.appending(path: "Dockerfile")
                    try Data("FROM app:1\nLABEL built=here\n".utf8).write(to: recipe)
                    let line = ["build", "--progress", "plain", "--network", "none", "--tag", "built:1", context.path]
                    let built = try await docker.run(line, environment: ["DOCKER_BUILDKIT": "1"])
                    guard built.status == 0 || !built.errors.contains("buildx") else {
                        print("skipped: this docker command has no BuildKit of its own")
                        return
                    }
                    #expect(built.status == 0, "\(built.errors.suffix(2000))")
                    #expect(try await docker.succeed(["run", "--rm", "--network", "none", "built:1", "echo", "hello"]) == "hello\n")
                    #expect(await ground.upstream.hasServed("HEAD /v2/library/app/manifests/1"))
                    // There is no real frontend without a network. What the mirror gives in its place is pulled, started, and is none.
                    try Data("# syntax=docker/dockerfile:1\nFROM app:1\n".utf8).write(to: recipe)
                    for _ in 1...2 {
                        let refused = try await docker.run(line, environment: ["DOCKER_BUILDKIT": "1"])
                        #expect(refused.status != 0 && refused.errors.contains("resolve image config for docker.io/docker/dockerfile:1"), "\(refused.errors)")
                        #expect(!refused.errors.contains("failed to resolve source metadata") && !refused.errors.contains("dial tcp"), "\(refused.errors)")
                    }
                    let served = await ground.upstream.served { $0.contains { $0.hasPrefix("GET /v2/docker/dockerfile/blobs/sha256:") } }
                    #expect(served.contains("HEAD /v2/docker/dockerfile/manifests/1"), "\(served)")
                    // Its layer BuildKit has already, of the other image.
                    #expect(served.contains { $0.hasPrefix("GET /v2/docker/dockerfile/blobs/sha256:") }, "its configuration: \(served)")
                    #expect(!served.contains { $0.contains("/library/docker/") || $0.contains("/library/dockerfile/") })
                }
            }
        }

        /// Of the layers that all these images share the bytes came once, and each index, manifest and configuration once.
        private static func expectOneOfEach(_ upstream: UpstreamRegistry) async {
            // Of each image: its index, one of its platforms, and that one's configuration; and the layer.
            let number = 3 * 3 + 1
            let bodies = { (lines: [String]) in lines.filter { $0.hasPrefix("GET /v2/") && $0.contains("sha256:") } }
            let found = bodies(await upstream.served { bodies($0).count >= number })
            #expect(Set(found).count == found.count && found.count == number, "\(found)")
        }

        /// In the command's own file: there is no Docker Hub here that would take a name and a password.
        private static func signInAtHub(_ docker: DockerCommand) throws {
            let file = docker.folder.appending(path: "docker-config/config.json")
            var configuration = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
            var known = try #require(configuration["auths"] as? [String: Any])
            known["https://index.docker.io/v1/"] = ["auth": Data("somebody:at-hub".utf8).base64EncodedString()]
            configuration["auths"] = known
            try JSONSerialization.data(withJSONObject: configuration).write(to: file)
        }

        private static func identity(of name: String, _ docker: DockerCommand) async throws -> String {
            try await docker.succeed(["image", "inspect", "--format", "{{.Id}} {{.Config.Labels.name}}", name])
        }

        private static func forget(_ docker: DockerCommand) async throws {
            let all = try await docker.succeed(["images", "--all", "--quiet", "--no-trunc"]).split(separator: "\n").map(String.init)
            try await docker.succeed(["rmi", "--force"] + Set(all))
            #expect(try await docker.succeed(["images", "--all", "--quiet"]).isEmpty)
        }

        @Test(
            "containerd finds by its hosts.toml what Docker Hub's names mean, at one root with hosted images, and again when the upstream is gone",
            .needs("containerd", "ctr", "docker-registry", "python3", "busybox", "htpasswd"))
        func containerd() async throws {
            try await withProxy(guarded: .passwords) { ground in
                let folder = ground.server.folder
                let hosts = folder.appending(path: "certs.d/docker.io")
                try FileManager.default.createDirectory(at: hosts, withIntermediateDirectories: true)
                let text = """
                    server = "\(ground.server.url)"
                    [host."\(ground.server.url)"]
                      capabilities = ["pull", "resolve"]

                    """
                try Data(text.utf8).write(to: hosts.appending(path: "hosts.toml"))
                let names = ["docker.io/library/app:1", "docker.io/library/docker:dind", "docker.io/docker/dockerfile:1", "docker.io/team/app:1"]
                try await withContainerd(in: folder) { socket in
                    let ctr = ["ctr", "--address", socket, "--namespace", "test"]
                    let pull = ctr + ["image", "pull", "--hosts-dir", folder.appending(path: "certs.d").path, "--snapshotter", "native"]
                    for name in names { try await succeed(pull + [name], in: folder) }
                    let list = ctr + ["image", "list"]
                    let first = try await succeed(list, in: folder)
                    await ground.upstream.stop()
                    try await succeed(ctr + ["image", "remove", "--sync"] + names, in: folder)
                    #expect(try await succeed(ctr + ["content", "list", "--quiet"], in: folder).isEmpty)
                    for name in names { try await succeed(pull + [name], in: folder) }
                    #expect(try await Self.digests(succeed(list, in: folder)) == Self.digests(first))
                    let bare = try await run(ctr + ["image", "pull", "--plain-http", "\(ground.server.host)/library/app:1"], in: folder)
                    #expect(bare.status != 0, "without ?ns=docker.io the name is the default repository's")
                }
            }
        }

        private static func digests(_ list: String) -> [String] { list.matches(of: #/\S+ +\S+ +(sha256:\S+)/#).map { String($0.output.1) } }
    }
}
