import Foundation
import Testing

extension Clients {
    @Suite("docker", .timeLimit(.minutes(8)), .timed) struct Docker {
        @Test(
            "docker builds, pushes, forgets, pulls and runs an image", .needs("dockerd", "docker", "busybox"), .needsRoot,
            arguments: [
                "docker-local/acme/app:1", "acme/short:1",
            ])
        func roundtrip(_ image: String) async throws {
            try await withServer { server in
                try await withDocker(in: server.folder) { docker in
                    let name = "\(server.host)/\(image)"
                    let context = try Image.context(in: server.folder)
                    try await docker.succeed(["build", "--network", "none", "--tag", name, context.path], environment: ["DOCKER_BUILDKIT": "0"])
                    try await docker.succeed(["push", name])
                    let pushed = try await docker.succeed(["image", "inspect", "--format", "{{.Id}}", name])
                    try await docker.succeed(["rmi", "--force", name])
                    try await docker.succeed(["pull", name])
                    let pulled = try await docker.succeed(["image", "inspect", "--format", "{{.Id}}", name])
                    #expect(pushed == pulled)
                    let said = try await docker.succeed(["run", "--rm", "--network", "none", name, "echo", "hello"])
                    #expect(said == "hello\n")
                }
            }
        }

        @Test("BuildKit's image is pushed and pulled; a second tag pushes no layer again", .needs("dockerd", "docker", "busybox"), .needsRoot)
        func buildKit() async throws {
            try await withServer { server in
                try await withDocker(in: server.folder) { docker in
                    let name = "\(server.host)/docker-local/acme/kit"
                    let context = try Image.context(in: server.folder)
                    let built = try await docker.run(["build", "--network", "none", "--tag", "\(name):1", context.path], environment: ["DOCKER_BUILDKIT": "1"])
                    guard built.status == 0 || !built.errors.contains("buildx") else {
                        print("skipped: this docker command has no BuildKit of its own")
                        return
                    }
                    try #require(built.status == 0, "\(built.errors.suffix(2000))")
                    try await docker.succeed(["push", "\(name):1"])
                    try await docker.succeed(["tag", "\(name):1", "\(name):2"])
                    let second = try await docker.succeed(["push", "\(name):2"])
                    #expect(second.contains("already exists"))
                    let other = "\(server.host)/docker-local/acme/mounted:1"
                    try await docker.succeed(["tag", "\(name):1", other])
                    let mounted = try await docker.succeed(["push", other])
                    #expect(mounted.contains("Mounted from") || mounted.contains("already exists"), "\(mounted)")
                    try await docker.succeed(["rmi", "--force", "\(name):1", "\(name):2", other])
                    try await docker.succeed(["pull", other])
                }
            }
        }

        @Test("what is not there is refused with docker's own words, and the engine goes on", .needs("dockerd", "docker"), .needsRoot)
        func absent() async throws {
            try await withServer { server in
                try await withDocker(in: server.folder) { docker in
                    let ended = try await docker.run(["pull", "\(server.host)/docker-local/acme/none:1"])
                    #expect(ended.status != 0)
                    #expect(ended.errors.contains("not found") || ended.errors.contains("unknown"), "\(ended.errors)")
                }
            }
        }
    }

    @Suite("containerd", .timeLimit(.minutes(5)), .timed) struct Containerd {
        @Test("ctr pulls what another client pushed, and pushes it back", .needs("containerd", "ctr", "skopeo", "buildah", "busybox"), .needsRoot)
        func roundtrip() async throws {
            try await withServer { server in
                let tools = try ContainerStore(in: server.folder)
                let layout = try await tools.layout()
                try await tools.succeed(["skopeo", "copy", "--dest-tls-verify=false", "oci:\(layout):one", "docker://\(server.host)/docker-local/acme/ctr:1"])
                try await withContainerd(in: server.folder) { socket in
                    let ctr = ["ctr", "--address", socket, "--namespace", "test"]
                    let first = "\(server.host)/docker-local/acme/ctr:1"
                    let second = "\(server.host)/docker-local/acme/ctr-back:1"
                    try await succeed(ctr + ["image", "pull", "--plain-http", "--snapshotter", "native", first], in: server.folder)
                    try await succeed(ctr + ["image", "tag", first, second], in: server.folder)
                    try await succeed(ctr + ["image", "push", "--plain-http", second], in: server.folder)
                }
                let raw = try await tools.succeed(["skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(server.host)/acme/ctr:1"])
                let back = try await tools.succeed(["skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(server.host)/acme/ctr-back:1"])
                #expect(raw == back)
            }
        }

        @Test(
            "ctr pulls an index with all its platforms, and pushes the same index under another name",
            .needs("containerd", "ctr", "skopeo", "buildah", "busybox"), .needsRoot)
        func index() async throws {
            try await withServer { server in
                let tools = try ContainerStore(in: server.folder)
                let first = "\(server.host)/docker-local/acme/both:1"
                let second = "\(server.host)/docker-local/acme/both-back:2"
                try await tools.pushList(to: first)
                try await withContainerd(in: server.folder) { socket in
                    let ctr = ["ctr", "--address", socket, "--namespace", "test"]
                    let pulled = try await succeed(
                        ctr + ["image", "pull", "--plain-http", "--all-platforms", "--snapshotter", "native", first], in: server.folder)
                    #expect(pulled.contains("linux/amd64") && pulled.contains("linux/arm64"), "\(pulled)")
                    try await succeed(ctr + ["image", "tag", first, second], in: server.folder)
                    try await succeed(ctr + ["image", "push", "--plain-http", second], in: server.folder)
                }
                let raw = try await tools.raw(first)
                #expect(try await tools.raw(second) == raw)
                // With all that it names: a copy to a folder reads every manifest and blob, and compares digests.
                let back = server.folder.appending(path: "back").path
                try await tools.succeed(["skopeo", "copy", "--all", "--src-tls-verify=false", "docker://\(second)", "dir:\(back)"])
            }
        }
    }
}
