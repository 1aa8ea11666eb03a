import Foundation
import Testing

extension Clients {
    @Suite("Groups", .timeLimit(.minutes(6)), .timed) struct Groups {
        private static let group = "type: group, writeTo: docker-local"

        private static func configuration(_ remotes: [String], owns: String = "") -> String {
            """
            docker: { defaultRepository: all }
            repositories:
              docker-local: { format: docker, type: hosted\(owns) }
              hub: { format: docker, type: proxy, remote: "\(remotes[0])" }
              quay: { format: docker, type: proxy, remote: "\(remotes[remotes.count - 1])" }
              all: { format: docker, \(Self.group), members: [docker-local, hub, quay] }
              without: { format: docker, \(Self.group), members: [docker-local, hub, quay], onMemberError: skip }

            """
        }

        @Test(
            "docker builds on a base that a proxy has, pushes through the group, and the hosted member alone has all of it",
            .needs("dockerd", "docker", "docker-registry", "skopeo", "buildah", "busybox"), .needsRoot)
        func pushThrough() async throws {
            try await withRegistry { folder, registry in
                let tools = try ContainerStore(in: folder)
                let layout = try await tools.layout()
                try await tools.succeed(["skopeo", "copy", "--dest-tls-verify=false", "oci:\(layout):one", "docker://127.0.0.1:\(registry.port)/acme/base:1"])
                try await withServer(Self.configuration(["http://127.0.0.1:\(registry.port)"])) { server in
                    try await withDocker(in: server.folder) { docker in
                        let context = server.folder.appending(path: "derived")
                        try FileManager.default.createDirectory(at: context, withIntermediateDirectories: true)
                        try Data("own".utf8).write(to: context.appending(path: "own"))
                        let recipe = "FROM \(server.host)/all/acme/base:1\nCOPY own /own\n"
                        try Data(recipe.utf8).write(to: context.appending(path: "Dockerfile"))
                        let name = "\(server.host)/all/acme/app:1"
                        try await docker.succeed(["build", "--network", "none", "--tag", name, context.path], environment: ["DOCKER_BUILDKIT": "0"])
                        let said = try await docker.succeed(["push", name])
                        #expect(said.contains("Mounted from") || said.contains("already exists"), "\(said)")
                        // The same image under another tag of the base's own name: none of its layers is sent.
                        let beside = "\(server.host)/all/acme/base:mine"
                        try await docker.succeed(["tag", "\(server.host)/all/acme/base:1", beside])
                        try await docker.succeed(["push", beside])
                        try await docker.succeed(["rmi", "--force", name, beside, "\(server.host)/all/acme/base:1"])
                        await registry.stop()
                        for image in ["app:1", "base:mine"] {
                            try await docker.succeed(["pull", "\(server.host)/docker-local/acme/\(image)"])
                            let folder = server.folder.appending(path: image.replacing(":", with: "-")).path
                            try await tools.succeed([
                                "skopeo", "copy", "--src-tls-verify=false", "docker://\(server.host)/docker-local/acme/\(image)", "dir:\(folder)",
                            ])
                        }
                        let ran = try await docker.succeed([
                            "run", "--rm", "--network", "none", "\(server.host)/docker-local/acme/app:1", "/bin/busybox", "cat", "/own",
                        ])
                        #expect(ran == "own")
                    }
                }
            }
        }

        @Test(
            "with one of two proxies down a group is 503, or goes on without it and says so; an owned name reaches no upstream",
            .needs("docker-registry", "skopeo", "buildah", "busybox"), .needsRoot)
        func memberDown() async throws {
            try await withRegistry { folder, registry in
                let tools = try ContainerStore(in: folder)
                let layout = try await tools.layout()
                try await tools.succeed(["skopeo", "copy", "--dest-tls-verify=false", "oci:\(layout):one", "docker://127.0.0.1:\(registry.port)/acme/base:1"])
                // Nothing listens on the port of a registry that has ended.
                let down = try await withRegistry { _, other in other.port }
                let configuration = Self.configuration(
                    ["http://127.0.0.1:\(down)", "http://127.0.0.1:\(registry.port)"], owns: #", owns: ["team/*"]"#)
                try await withServer(configuration) { server in
                    let failed = try await tools.run(["skopeo", "inspect", "--tls-verify=false", "docker://\(server.host)/all/acme/base:1"])
                    #expect(failed.status != 0)
                    #expect(try await server.send("GET", "/v2/all/acme/base/manifests/1").status == 503)
                    let target = "dir:\(server.folder.path)/without"
                    try await tools.succeed(["skopeo", "copy", "--src-tls-verify=false", "docker://\(server.host)/without/acme/base:1", target])
                    let answer = try await server.send("GET", "/v2/without/acme/base/manifests/1")
                    #expect(answer.status == 200 && answer.headers["x-entrepot-skipped"] == "hub")
                    let tags = try await server.send("GET", "/v2/without/acme/base/tags/list")
                    #expect(tags.status == 200 && tags.headers["x-entrepot-skipped"] == "hub")
                    #expect(try await server.send("GET", "/v2/all/acme/base/tags/list").status == 503)
                    for path in ["tags/list", "manifests/1", "referrers/sha256:\(String(repeating: "0", count: 64))"] {
                        let status = try await server.send("GET", "/v2/without/team/private/\(path)").status
                        #expect(status == (path.hasPrefix("referrers") ? 200 : 404))
                    }
                    // A push does not wait for a registry that is down.
                    try await tools.succeed(["skopeo", "copy", "--dest-tls-verify=false", "oci:\(layout):one", "docker://\(server.host)/all/team/private:1"])
                    try await tools.succeed(["skopeo", "inspect", "--tls-verify=false", "docker://\(server.host)/all/team/private:1"])
                    try await server.pushImage("all/acme/new", tag: "1")
                }
                #expect(!registry.said.contains("team/private"))
                #expect(registry.said.contains("acme/base"))
            }
        }
    }
}

/// Debian's docker-registry, over a folder of its own.
struct RegistryProcess {
    let port: Int
    fileprivate let child: ChildProcess
    /// Its access log and all else.
    var said: String { self.child.outputText + self.child.errorText }

    func stop() async {
        self.child.signal(SIGTERM)
        _ = await self.child.wait(atMost: .seconds(20))
    }
}

/// Starts a registry on a free port, and ends it.
@discardableResult
func withRegistry<Result>(_ body: (URL, RegistryProcess) async throws -> Result) async throws -> Result {
    try await withTemporaryFolder { folder in
        let file = folder.appending(path: "registry.yml")
        let storage = "storage: { filesystem: { rootdirectory: \(folder.path)/storage } }"
        try Data("version: 0.1\n\(storage)\nhttp: { addr: '127.0.0.1:0', secret: none }\n".utf8).write(to: file)
        let child = try ChildProcess(["docker-registry", "serve", file.path], in: folder)
        var port: Int?
        _ = await eventually(within: .seconds(30)) {
            port = (child.outputText + child.errorText).firstMatch(of: #/listening on 127\.0\.0\.1:(\d+)/#).flatMap { Int($0.output.1) }
            return port != nil || !child.isRunning
        }
        guard let port else {
            child.signal(SIGKILL)
            throw RegistryDidNotStart(said: child.errorText)
        }
        let registry = RegistryProcess(port: port, child: child)
        do {
            let result = try await body(folder, registry)
            await registry.stop()
            return result
        } catch {
            await registry.stop()
            throw error
        }
    }
}

private struct RegistryDidNotStart: Error { let said: String }
