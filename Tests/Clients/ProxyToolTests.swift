import Foundation
import Testing

extension Clients {
    @Suite("podman and skopeo through a proxy", .timeLimit(.minutes(5)), .needsRoot, .timed) struct ProxyTools {
        /// Docker Hub is never asked: its names lead to the mirror, below a path of it.
        private static func mirror(_ location: String) -> String {
            """
            unqualified-search-registries = ["docker.io"]
            [[registry]]
            prefix = "docker.io"
            location = "docker.io"
            [[registry.mirror]]
            location = "\(location)"
            insecure = true

            """
        }

        @Test(
            "podman with a mirror pulls Docker Hub's names, and again when the upstream is gone", .needs("podman", "python3", "docker-registry", "busybox"),
            arguments: [true, false])
        func podman(atItsOwnRoot: Bool) async throws {
            try await withProxy { ground in
                let location = atItsOwnRoot ? ground.root : "\(ground.server.host)/hub"
                let tools = try ContainerStore(in: ground.server.folder, registries: Self.mirror(location))
                let names = ["docker.io/library/app:1", "docker.io/library/docker:dind", "docker.io/team/app:1"]
                var pulled: [String] = []
                for name in names {
                    try await tools.succeed(["podman", "pull", name])
                    pulled.append(try await tools.succeed(["podman", "image", "inspect", "--format", "{{.Id}} {{.Labels.name}}", name]))
                }
                #expect(pulled.map { $0.split(separator: " ").last } == ["library/app\n", "library/docker\n", "team/app\n"])
                #expect(await ground.upstream.hasServed("HEAD /v2/library/docker/manifests/dind"))
                await ground.upstream.stop()
                try await tools.succeed(["podman", "rmi", "--all", "--force"])
                for (name, before) in zip(names, pulled) {
                    try await tools.succeed(["podman", "pull", name])
                    #expect(try await tools.succeed(["podman", "image", "inspect", "--format", "{{.Id}} {{.Labels.name}}", name]) == before)
                }
            }
        }

        @Test(
            "skopeo inspects and copies all of an index, from each kind of upstream, and again when that is gone",
            .needs("skopeo", "python3", "docker-registry", "busybox", "htpasswd", "openssl"), arguments: UpstreamRegistry.Guard.allCases)
        func skopeo(_ guarded: UpstreamRegistry.Guard) async throws {
            try await withProxy(guarded: guarded) { ground in
                let folder = ground.server.folder
                let tools = try ContainerStore(in: folder, registries: Self.mirror(ground.root))
                let name = "docker://docker.io/library/app:1"
                let index = try await tools.succeed(["skopeo", "inspect", "--raw", name])
                #expect(index.contains("\n   \"schemaVersion\"") && index.contains("attestation-manifest"))
                // Mirrors give no lists of tags, so here by the proxy's own name. Of the index, only this machine's platform is looked at.
                let inspect = ["skopeo", "inspect", "--tls-verify=false", "docker://\(ground.server.host)/hub/app:1"]
                let inspected = try await tools.succeed(inspect)
                #expect(inspected.contains("\"name\": \"library/app\"") && inspected.contains("\"RepoTags\": ["), "\(inspected)")
                let fetched = { (lines: [String]) in lines.filter { $0.hasPrefix("GET") && ($0.contains("/blobs/") || $0.contains("/manifests/")) } }
                #expect(fetched(await ground.upstream.served { fetched($0).count >= 3 }).count == 3, "the index, one manifest, one configuration")
                let copy = ["skopeo", "copy", "--all", "--preserve-digests"]
                try await tools.succeed(copy + [name, "dir:\(folder.path)/first"])
                #expect(try String(contentsOf: folder.appending(path: "first/manifest.json"), encoding: .utf8) == index)
                try await tools.succeed(copy + ["--src-tls-verify=false", "docker://\(ground.server.host)/hub/docker:dind", "dir:\(folder.path)/dind"])
                if guarded != .nobody { try await Self.expectTrouble(tools, "\(ground.server.host)/refused/app:1") }
                await ground.upstream.stop()
                #expect(try await tools.succeed(["skopeo", "inspect", "--raw", name]) == index)
                #expect(try await tools.succeed(inspect) == inspected)
                try await tools.succeed(copy + [name, "dir:\(folder.path)/second"])
                // What was pulled by its short name is there by the full one, as mirrors ask for it.
                try await tools.succeed(copy + ["docker://docker.io/library/docker:dind", "dir:\(folder.path)/dind-again"])
                try await succeed(["diff", "-r", "\(folder.path)/first", "\(folder.path)/second"], in: folder)
                try await Self.expectTrouble(tools, "\(ground.server.host)/hub/none:1")
            }
        }

        /// What cannot be had now is not said to be absent, the client is not asked for a password, and told none.
        private static func expectTrouble(_ tools: ContainerStore, _ name: String) async throws {
            let ended = try await tools.run(["skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(name)"])
            #expect(ended.status != 0 && (ended.errors.contains("502") || ended.errors.contains("503")), "\(ended.errors)")
            for word in ["manifest unknown", "unauthorized", UpstreamRegistry.password] { #expect(!ended.errors.contains(word), "\(ended.errors)") }
        }
    }
}
