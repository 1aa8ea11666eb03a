import Foundation
import Testing

extension Clients {
    @Suite("over TLS, with an authority of our own", .timeLimit(.minutes(6)), .timed) struct SecureClients {
        @Test(
            "skopeo and podman push and pull with the authority's certificate, and refuse without it",
            .needs("openssl", "skopeo", "podman", "buildah", "busybox"), .needsRoot)
        func containerTools() async throws {
            try await withSecureServer { server in
                let tools = try ContainerStore(in: server.folder)
                let (trust, none) = (try server.authority.trust("trust").path, try server.authority.trust("none", knowsAuthority: false).path)
                let layout = try await tools.layout()
                let name = "\(server.host)/docker-local/acme/app"
                let push = { (folder: String, tag: String) in ["skopeo", "copy", "--dest-cert-dir", folder, "oci:\(layout):one", "docker://\(name):\(tag)"] }
                Self.expectRefusal(try await tools.run(push(none, "0")))
                try await tools.succeed(push(trust, "1"))
                try await tools.succeed(
                    ["skopeo", "copy", "--src-cert-dir", trust, "--dest-cert-dir", trust, "docker://\(name):1", "docker://\(name):2"])
                let (first, second) = (
                    try await tools.succeed(["skopeo", "inspect", "--raw", "--cert-dir", trust, "docker://\(name):1"]),
                    try await tools.succeed(["skopeo", "inspect", "--raw", "--cert-dir", trust, "docker://\(name):2"])
                )
                #expect(first == second)
                Self.expectRefusal(try await tools.run(["podman", "pull", "--cert-dir", none, "\(name):1"]))
                try await tools.succeed(["podman", "pull", "--cert-dir", trust, "\(name):1"])
                try await tools.succeed(["podman", "push", "--cert-dir", trust, "\(name):1", "\(name):3"])
                Self.expectRefusal(try await tools.run(["podman", "push", "--cert-dir", none, "\(name):1", "\(name):4"]))
                let tags = try await tools.succeed(["skopeo", "list-tags", "--cert-dir", trust, "docker://\(name)"])
                #expect(["1", "2", "3"].allSatisfy { tags.contains("\"\($0)\"") } && !tags.contains("\"0\"") && !tags.contains("\"4\""))
            }
        }

        @Test(
            "containerd pulls and pushes with the authority in its hosts.toml, and refuses without it",
            .needs("openssl", "containerd", "ctr", "skopeo", "buildah", "busybox"), .needsRoot)
        func containerd() async throws {
            try await withSecureServer { server in
                let tools = try ContainerStore(in: server.folder)
                let (trust, layout) = (try server.authority.trust("trust").path, try await tools.layout())
                let (first, second) = ("\(server.host)/docker-local/acme/ctr:1", "\(server.host)/docker-local/acme/ctr-back:1")
                try await tools.succeed(["skopeo", "copy", "--dest-cert-dir", trust, "oci:\(layout):one", "docker://\(first)"])
                let known = try Self.hosts(of: server, in: "known", "  ca = \"\(server.authority.certificate.path)\"\n")
                let unknown = try Self.hosts(of: server, in: "unknown", "")
                try await withContainerd(in: server.folder) { socket in
                    let image = ["ctr", "--address", socket, "--namespace", "test", "image"]
                    Self.expectRefusal(try await run(image + ["pull", "--hosts-dir", unknown, "--snapshotter", "native", first], in: server.folder))
                    try await succeed(image + ["pull", "--hosts-dir", known, "--snapshotter", "native", first], in: server.folder)
                    try await succeed(image + ["tag", first, second], in: server.folder)
                    Self.expectRefusal(try await run(image + ["push", "--hosts-dir", unknown, second], in: server.folder))
                    try await succeed(image + ["push", "--hosts-dir", known, second], in: server.folder)
                }
                let raw = { (name: String) in ["skopeo", "inspect", "--raw", "--cert-dir", trust, "docker://\(name)"] }
                #expect(try await tools.succeed(raw(first)) == tools.succeed(raw(second)))
            }
        }

        private static func hosts(of server: SecureServer, in name: String, _ more: String) throws -> String {
            let folder = server.folder.appending(path: "hosts-\(name)")
            let place = folder.appending(path: server.host)
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            let text = "server = \"\(server.url)\"\n[host.\"\(server.url)\"]\n  capabilities = [\"pull\", \"resolve\", \"push\"]\n\(more)"
            try Data(text.utf8).write(to: place.appending(path: "hosts.toml"))
            return folder.path
        }

        @Test(
            "dockerd pushes and pulls with the authority in certs.d, and refuses without it",
            .needs("openssl", "dockerd", "docker", "busybox", "unshare", "nsenter"), .needsRoot)
        func docker() async throws {
            try await withTemporaryFolder { folder in
                let authority = try await PrivateAuthority(in: folder)
                try await withSecludedDocker(in: folder, address: PrivateAuthority.otherAddress) { docker, certificates, inside in
                    let server = try await SecureServer.start(in: folder, authority, address: PrivateAuthority.otherAddress, inside: inside)
                    do {
                        try await Self.pushAndPull(docker, certificates, server)
                    } catch {
                        server.child.signal(SIGKILL)
                        _ = await server.child.wait(atMost: .seconds(10))
                        throw error
                    }
                    server.child.signal(SIGTERM)
                    #expect(await server.child.wait(atMost: .seconds(40)) == 0)
                }
            }
        }

        private static func pushAndPull(_ docker: DockerCommand, _ certificates: URL, _ server: SecureServer) async throws {
            let name = "\(server.host)/docker-local/acme/app:1"
            let context = try Image.context(in: server.folder)
            try await docker.succeed(["build", "--network", "none", "--tag", name, context.path], environment: ["DOCKER_BUILDKIT": "0"])
            Self.expectRefusal(try await docker.run(["push", name]))
            // Read at every pull and push: no restart.
            let trust = certificates.appending(path: server.host)
            try FileManager.default.createDirectory(at: trust, withIntermediateDirectories: true)
            try FileManager.default.copyItem(at: server.authority.certificate, to: trust.appending(path: "ca.crt"))
            try await docker.succeed(["push", name])
            let id = try await docker.succeed(["image", "inspect", "--format", "{{.Id}}", name])
            try await docker.succeed(["rmi", "--force", name])
            try await docker.succeed(["pull", name])
            #expect(try await docker.succeed(["image", "inspect", "--format", "{{.Id}}", name]) == id)
            try FileManager.default.removeItem(at: trust)
            try await docker.succeed(["rmi", "--force", name])
            Self.expectRefusal(try await docker.run(["pull", name]))
        }

        /// Go's words for a chain that ends nowhere known.
        private static func expectRefusal(_ ended: Ended, sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(ended.status != 0, sourceLocation: sourceLocation)
            #expect((ended.output + ended.errors).contains("certificate signed by unknown authority"), "\(ended.errors)", sourceLocation: sourceLocation)
        }
    }
}
