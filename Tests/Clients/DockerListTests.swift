import Foundation
import Testing

extension Clients {
    @Suite("docker: lists, many layers, caches", .timeLimit(.minutes(8)), .needsRoot, .timed) struct DockerLists {
        private static let listType = "application/vnd.docker.distribution.manifest.list.v2+json"

        /// An image of its own for each architecture: docker knows only the platform that it runs on, a label makes the difference.
        private static func build(_ name: String, for architecture: String, with docker: DockerCommand) async throws {
            let context = try Image.context(in: docker.folder)
            let line = ["build", "--network", "none", "--label", "for=\(architecture)", "--tag", "\(name):\(architecture)", context.path]
            try await docker.succeed(line, environment: ["DOCKER_BUILDKIT": "0"])
            try await docker.succeed(["push", "\(name):\(architecture)"])
        }

        /// `docker manifest create`, `annotate` and `push`; gives the digest that docker says it pushed.
        private static func pushList(_ name: String, with docker: DockerCommand) async throws -> String {
            for architecture in ["amd64", "arm64"] { try await Self.build(name, for: architecture, with: docker) }
            try await docker.succeed(["manifest", "create", "--insecure", "\(name):1", "\(name):amd64", "\(name):arm64"])
            try await docker.succeed(["manifest", "annotate", "--arch", "arm64", "--variant", "v8", "\(name):1", "\(name):arm64"])
            let pushed = try await docker.succeed(["manifest", "push", "--insecure", "\(name):1"])
            return pushed.trimmingCharacters(in: .whitespacesAndNewlines)
        }

        @Test(
            "docker manifest makes a list of two platforms, which is served as it was sent and pulled by its tag", .needs("dockerd", "docker", "busybox"))
        func list() async throws {
            try await withServer { server in
                try await withDocker(in: server.folder) { docker in
                    let name = "\(server.host)/docker-local/acme/list"
                    let pushed = try await Self.pushList(name, with: docker)
                    let answer = try await server.send("GET", "/v2/docker-local/acme/list/manifests/1")
                    #expect(answer.status == 200 && answer.headers["content-type"] == Self.listType)
                    #expect(answer.headers["docker-content-digest"] == pushed)
                    #expect(try await digest(of: answer.body, in: server.folder) == pushed)
                    #expect(answer.text.contains("arm64") && answer.text.contains("\"v8\""))
                    try await docker.succeed(["rmi", "--force", "\(name):amd64", "\(name):arm64"])
                    let pulled = try await docker.succeed(["pull", "\(name):1"])
                    #expect(pulled.contains(pushed))
                    #expect(try await docker.succeed(["run", "--rm", "--network", "none", "\(name):1", "echo", "hello"]) == "hello\n")
                }
            }
        }

        @Test(
            "a child that is deleted by its digest is missing for its platform alone, and pushed again it is there", .needs("dockerd", "docker", "busybox"))
        func child() async throws {
            try await withServer { server in
                try await withDocker(in: server.folder) { docker in
                    let name = "\(server.host)/docker-local/acme/list"
                    let manifests = "/v2/docker-local/acme/list/manifests"
                    let list = try await Self.pushList(name, with: docker)
                    let child = try #require(try await server.send("HEAD", "\(manifests)/arm64").headers["docker-content-digest"])
                    #expect(try await server.send("DELETE", "\(manifests)/\(child)").status == 202)
                    #expect(try await server.send("GET", "\(manifests)/arm64").status == 404)
                    #expect(try await server.send("HEAD", "\(manifests)/1").headers["docker-content-digest"] == list)
                    try await docker.succeed(["pull", "--platform", "linux/amd64", "\(name):1"])
                    try await docker.succeed(["rmi", "--force", "\(name):1"])
                    let refused = try await docker.run(["pull", "--platform", "linux/arm64", "\(name):1"])
                    #expect(refused.status != 0 && refused.errors.contains("unknown"), "\(refused.errors)")
                    try await docker.succeed(["push", "\(name):arm64"])
                    try await docker.succeed(["rmi", "--force", "\(name):arm64"])
                    try await docker.succeed(["pull", "--platform", "linux/arm64", "\(name):1"])
                    try await docker.succeed(["pull", "\(name)@\(child)"])
                }
            }
        }

        @Test("an image of twelve layers is pushed at once and comes back as the same image", .needs("dockerd", "docker", "busybox"))
        func manyLayers() async throws {
            try await withServer { server in
                try await withDocker(in: server.folder) { docker in
                    let name = "\(server.host)/docker-local/acme/many:1"
                    let context = try Image.context(in: server.folder)
                    var lines = ["FROM scratch", "COPY busybox /bin/busybox"]
                    for number in 1..<12 {
                        // Random, so that a layer is about as large packed as it is.
                        try Data((0..<300_000).map { _ in UInt8.random(in: 0...255) }).write(to: context.appending(path: "f\(number)"))
                        lines.append("COPY f\(number) /f\(number)")
                    }
                    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: context.appending(path: "Dockerfile"))
                    try await docker.succeed(["build", "--network", "none", "--tag", name, context.path], environment: ["DOCKER_BUILDKIT": "0"])
                    try await docker.succeed(["push", name])
                    let pushed = try await docker.succeed(["image", "inspect", "--format", "{{.Id}}", name])
                    let manifest = try await server.send("GET", "/v2/docker-local/acme/many/manifests/1").text
                    #expect(manifest.components(separatedBy: "rootfs.diff.tar.gzip").count == 13, "\(manifest)")
                    try await docker.succeed(["rmi", "--force", name])
                    try await docker.succeed(["pull", name])
                    #expect(try await docker.succeed(["image", "inspect", "--format", "{{.Id}}", name]) == pushed)
                }
            }
        }

        @Test("BuildKit's inline cache, pushed with the image, spares another engine's build its steps", .needs("dockerd", "docker", "busybox"))
        func cache() async throws {
            try await withServer { server in
                let name = "\(server.host)/docker-local/acme/cached"
                // The time of day: built a second time, this step would make another image.
                let recipe = """
                    FROM scratch
                    COPY busybox /bin/busybox
                    RUN ["/bin/busybox", "sh", "-c", "/bin/busybox date +%N > /made"]

                    """
                let context = try Image.context(in: server.folder)
                try Data(recipe.utf8).write(to: context.appending(path: "Dockerfile"))
                var images: [String] = []
                for (tag, more) in [("1", []), ("2", ["--cache-from", "\(name):1"])] {
                    // An engine of its own, so that nothing is cached but what is in the registry.
                    let folder = server.folder.appending(path: tag)
                    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                    try await withDocker(in: folder) { docker in
                        let line = ["build", "--network", "none", "--build-arg", "BUILDKIT_INLINE_CACHE=1", "--tag", "\(name):\(tag)"]
                        try await docker.succeed(line + more + [context.path], environment: ["DOCKER_BUILDKIT": "1"])
                        images.append(try await docker.succeed(["image", "inspect", "--format", "{{.Id}}", "\(name):\(tag)"]))
                        try await docker.succeed(["push", "\(name):\(tag)"])
                    }
                }
                #expect(images.count == 2 && images.first == images.last)
            }
        }
    }
}
