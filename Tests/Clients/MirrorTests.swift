import Foundation
import Testing

extension Clients {
    @Suite("Mirrors", .timeLimit(.minutes(3)), .timed) struct Mirrors {
        private static func configuration(_ canonical: Int, _ mirror: Int) -> String {
            """
            repositories:
              strict: { format: docker, type: proxy, remote: ["http://127.0.0.1:\(canonical)", { url: "http://127.0.0.1:\(mirror)", trust: digestsOnly }] }
              trusting: { format: docker, type: proxy, remote: ["http://127.0.0.1:\(canonical)", "http://127.0.0.1:\(mirror)"] }

            """
        }

        @Test(
            "skopeo pulls from a mirror while the canonical registry is gone: by digest where that is all it is trusted with, by tag where it is trusted",
            .needs("docker-registry", "skopeo", "buildah", "busybox"), .needsRoot)
        func canonicalGone() async throws {
            try await withRegistry { folder, canonical in
                try await withRegistry { _, mirror in
                    let tools = try ContainerStore(in: folder)
                    let layout = try await tools.layout()
                    func copy(_ source: String, _ target: String) async throws -> (status: Int32, said: String) {
                        let ran = try await tools.run(["skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", source, target])
                        return (ran.status, ran.output + ran.errors)
                    }
                    for registry in [canonical, mirror] {
                        #expect(try await copy("oci:\(layout):one", "docker://127.0.0.1:\(registry.port)/acme/base:1").status == 0)
                    }
                    // A name that only the mirror has, while the canonical registry says no: a miss.
                    #expect(try await copy("oci:\(layout):one", "docker://127.0.0.1:\(mirror.port)/acme/other:1").status == 0)
                    let name = try await tools.succeed([
                        "skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", "docker://127.0.0.1:\(mirror.port)/acme/base:1",
                    ]).trimmingCharacters(in: .whitespacesAndNewlines)
                    try await withServer(Self.configuration(canonical.port, mirror.port)) { server in
                        #expect(try await server.send("GET", "/v2/trusting/acme/other/manifests/1").status == 404)
                        await canonical.stop()
                        let byDigest = try await copy("docker://\(server.host)/strict/acme/base@\(name)", "dir:\(folder.path)/strict")
                        #expect(byDigest.status == 0, "\(byDigest.said)")
                        #expect(try await server.send("GET", "/v2/strict/acme/base/manifests/1").status >= 500)
                        let byTag = try await copy("docker://\(server.host)/trusting/acme/base:1", "dir:\(folder.path)/trusting")
                        #expect(byTag.status == 0, "\(byTag.said)")
                    }
                }
            }
        }
    }
}
