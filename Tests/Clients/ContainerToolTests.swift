import Foundation
import Testing

extension Clients {
    @Suite("podman, skopeo, buildah", .timeLimit(.minutes(5)), .timed) struct ContainerTools {
        @Test("podman pushes what it built and pulls the same image back", .needs("podman", "busybox"), .needsRoot)
        func podman() async throws {
            try await withServer { server in
                let tools = try ContainerStore(in: server.folder)
                let context = try Image.context(in: server.folder)
                let name = "\(server.host)/docker-local/acme/podman:1"
                try await tools.succeed(["podman", "build", "--isolation", "chroot", "--tag", name, context.path])
                try await tools.succeed(["podman", "push", "--tls-verify=false", name])
                let id = try await tools.succeed(["podman", "image", "inspect", "--format", "{{.Id}}", name])
                try await tools.succeed(["podman", "rmi", "--force", name])
                try await tools.succeed(["podman", "pull", "--tls-verify=false", name])
                let again = try await tools.succeed(["podman", "image", "inspect", "--format", "{{.Id}}", name])
                #expect(id == again)
            }
        }

        @Test("skopeo copies a layout in and out, byte for byte, under both of its names", .needs("skopeo", "buildah", "busybox"), .needsRoot)
        func skopeo() async throws {
            try await withServer { server in
                let tools = try ContainerStore(in: server.folder)
                let layout = try await tools.layout()
                let long = "docker://\(server.host)/docker-local/acme/app"
                let short = "docker://\(server.host)/acme/app"
                try await tools.succeed(["skopeo", "copy", "--dest-tls-verify=false", "oci:\(layout):one", "\(long):1"])
                try await tools.succeed(["skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", "\(short):1", "\(long):2"])
                let tags = try await tools.succeed(["skopeo", "list-tags", "--tls-verify=false", short])
                #expect(tags.contains("\"1\"") && tags.contains("\"2\""))
                let raw = try await tools.succeed(["skopeo", "inspect", "--raw", "--tls-verify=false", "\(short):1"])
                let other = try await tools.succeed(["skopeo", "inspect", "--raw", "--tls-verify=false", "\(long):2"])
                #expect(raw == other)
                try await tools.succeed(["skopeo", "copy", "--src-tls-verify=false", "\(long):1", "dir:\(server.folder.path)/dir"])
                let kept = try String(contentsOf: server.folder.appending(path: "dir/manifest.json"), encoding: .utf8)
                #expect(kept == raw)
                try await tools.succeed(["skopeo", "delete", "--tls-verify=false", "\(long):2"])
                let gone = try await tools.run(["skopeo", "inspect", "--raw", "--tls-verify=false", "\(long):2"])
                #expect(gone.status != 0)
            }
        }

        @Test("zstd layers are kept as they are", .needs("skopeo", "buildah", "busybox"), .needsRoot)
        func zstd() async throws {
            try await withServer { server in
                let tools = try ContainerStore(in: server.folder)
                let layout = try await tools.layout()
                let packed = "oci:\(server.folder.path)/packed:one"
                let name = "docker://\(server.host)/docker-local/acme/zstd:1"
                try await tools.succeed(["skopeo", "copy", "--dest-compress-format", "zstd", "oci:\(layout):one", packed])
                try await tools.succeed(["skopeo", "copy", "--dest-tls-verify=false", packed, name])
                let raw = try await tools.succeed(["skopeo", "inspect", "--raw", "--tls-verify=false", name])
                let local = try await tools.succeed(["skopeo", "inspect", "--raw", packed])
                #expect(raw == local && raw.contains("zstd"))
            }
        }
    }

    @Suite("oras", .timeLimit(.minutes(3))) struct Oras {
        @Test(
            "oras pushes an artifact with annotations, lists its tag, and pulls the same bytes",
            .enabled(if: Surroundings.isCI || FileManager.default.fileExists(atPath: Surroundings.pythonClients), "not installed; see scripts/python-clients"))
        func roundtrip() async throws {
            try await withServer { server in
                let python = Surroundings.pythonClients
                let folder = server.folder.appending(path: "oras").path
                try await succeed([python, Surroundings.script("oras_roundtrip.py"), server.host, "docker-local/acme/oras", folder], in: server.folder)
            }
        }
    }
}
