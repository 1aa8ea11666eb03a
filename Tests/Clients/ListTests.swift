import Foundation
import Testing

extension Clients {
    @Suite("lists of platforms by buildah, podman and skopeo", .timeLimit(.minutes(5)), .needsRoot, .timed) struct Lists {
        @Test(
            "buildah pushes a list in both formats, and podman pulls either of its platforms", .needs("buildah", "podman", "skopeo", "busybox"),
            arguments: [
                ("oci", "application/vnd.oci.image.index.v1+json"), ("v2s2", "application/vnd.docker.distribution.manifest.list.v2+json"),
            ])
        func formats(_ format: String, _ type: String) async throws {
            try await withServer { server in
                let tools = try ContainerStore(in: server.folder)
                let name = "\(server.host)/docker-local/acme/both:1"
                try await tools.pushList(to: name, format: format)
                let answer = try await server.send("GET", "/v2/docker-local/acme/both/manifests/1")
                #expect(answer.headers["content-type"] == type)
                #expect(answer.headers["docker-content-digest"] == (try await digest(of: answer.body, in: server.folder)))
                for architecture in ["amd64", "arm64"] {
                    try await tools.succeed(["podman", "pull", "--arch", architecture, "--tls-verify=false", name])
                    let pulled = try await tools.succeed(["podman", "image", "inspect", "--format", "{{.Architecture}}", name])
                    #expect(pulled == "\(architecture)\n")
                    try await tools.succeed(["podman", "rmi", "--force", name])
                }
            }
        }

        @Test("skopeo syncs several tags to another image and through a folder, each byte for byte", .needs("skopeo", "buildah", "busybox"))
        func sync() async throws {
            try await withServer { server in
                let tools = try ContainerStore(in: server.folder)
                let root = "\(server.host)/docker-local"
                try await tools.pushList(to: "\(root)/acme/many:1")
                let layout = try await tools.layout()
                try await tools.succeed(["skopeo", "copy", "--dest-tls-verify=false", "oci:\(layout):one", "docker://\(root)/acme/many:2"])
                try await tools.succeed(
                    ["skopeo", "copy", "--format", "v2s2", "--dest-tls-verify=false", "oci:\(layout):one", "docker://\(root)/acme/many:3"])
                let folder = server.folder.appending(path: "synced").path
                let sync = ["skopeo", "sync", "--all", "--src-tls-verify=false", "--dest-tls-verify=false"]
                try await tools.succeed(sync + ["--src", "docker", "--dest", "docker", "\(root)/acme/many", "\(root)/copied"])
                try await tools.succeed(sync + ["--src", "docker", "--dest", "dir", "\(root)/acme/many", folder])
                try await tools.succeed(sync + ["--src", "dir", "--dest", "docker", folder, "\(root)/back"])
                for image in ["copied/many", "back/many"] {
                    let tags = try await server.send("GET", "/v2/docker-local/\(image)/tags/list")
                    #expect(tags.text.contains(#"["1","2","3"]"#), "\(tags.text)")
                    for tag in 1...3 {
                        let original = try await server.send("GET", "/v2/docker-local/acme/many/manifests/\(tag)")
                        let copy = try await server.send("GET", "/v2/docker-local/\(image)/manifests/\(tag)")
                        #expect(copy.body == original.body && copy.headers["content-type"] == original.headers["content-type"])
                    }
                }
            }
        }

        @Test(
            "skopeo copies a list to another repository with its digests, mounting the layers, and what is then deleted is deleted there alone",
            .needs("skopeo", "buildah", "busybox"))
        func mount() async throws {
            try await withTemporaryFolder { folder in
                let configuration = ServerProcess.configuration + "  docker-other: { format: docker, type: hosted }\n"
                let server = try await ServerProcess.start(in: folder, configuration: configuration)
                let tools = try ContainerStore(in: folder)
                let source = "\(server.host)/docker-local/acme/both:1"
                let target = "\(server.host)/docker-other/acme/taken:1"
                try await tools.pushList(to: source)
                let copy = ["skopeo", "--debug", "copy", "--all", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false"]
                let copied = try await tools.run(copy + ["docker://\(source)", "docker://\(target)"])
                // The layers of both platforms are one where they were made in the same second. What is sent are the two configurations.
                let uploads = copied.errors.components(separatedBy: "Upload of layer").count - 1
                #expect(copied.status == 0 && copied.errors.contains("... mount OK") && uploads == 2, "\(copied.errors.suffix(3000))")
                let raw = try await tools.raw(source)
                #expect(try await tools.raw(target) == raw)
                try await tools.succeed(["skopeo", "delete", "--tls-verify=false", "docker://\(source)"])
                let gone = try await tools.run(["skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(source)"])
                #expect(gone.status != 0 && gone.errors.contains("unknown"), "\(gone.errors)")
                let tags = try await tools.succeed(["skopeo", "list-tags", "--tls-verify=false", "docker://\(target.dropLast(2))"])
                #expect(tags.contains("\"1\""))
                let kept = folder.appending(path: "kept").path
                try await tools.succeed(["skopeo", "copy", "--all", "--src-tls-verify=false", "docker://\(target)", "dir:\(kept)"])
                #expect(try String(contentsOfFile: "\(kept)/manifest.json", encoding: .utf8) == raw)
                #expect(await server.stop() == 0)
            }
        }
    }
}
