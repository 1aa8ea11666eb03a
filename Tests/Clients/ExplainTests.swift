import Foundation
import Testing

extension Clients {
    @Suite("Explain", .timeLimit(.minutes(2)), .timed) struct Explain {
        private struct Trace: Decodable {
            struct Answer: Decodable {
                var status: Int
                var cache: String?
            }
            struct Step: Decodable {
                var repository: String
                var question: String
                var answer: String
            }
            var answer: Answer
            var steps: [Step]
        }

        private static func configuration(_ remote: String) -> String {
            """
            repositories:
              docker-local: { format: docker, type: hosted }
              hub: { format: docker, type: proxy, remote: "\(remote)" }
              all: { format: docker, type: group, members: [docker-local, hub] }

            """
        }

        @Test(
            "curl is told why a pull is answered as it is, nothing is fetched for it, and nobody else is told",
            .needs("curl", "skopeo", "docker-registry", "buildah", "busybox"), .needsRoot)
        func curl() async throws {
            try await withRegistry { folder, registry in
                let tools = try ContainerStore(in: folder)
                let layout = try await tools.layout()
                try await tools.succeed(["skopeo", "copy", "--dest-tls-verify=false", "oci:\(layout):one", "docker://127.0.0.1:\(registry.port)/acme/base:1"])
                try await withServer(Self.configuration("http://127.0.0.1:\(registry.port)")) { server in
                    let url = "http://\(server.host)/v2/all/acme/base/manifests/1"
                    func ask(_ options: String...) async throws -> String {
                        try await succeed(["curl", "--silent", "--show-error"] + options, in: server.folder)
                    }
                    func trace(_ options: String...) async throws -> Trace {
                        let said = try await succeed(["curl", "--silent", "--show-error", "--fail"] + options, in: server.folder)
                        return try JSONDecoder().decode(Trace.self, from: Data(said.utf8))
                    }
                    let cold = try await trace("--header", "X-Entrepot-Explain: 1", url)
                    #expect(cold.answer.status == 200)
                    #expect(cold.steps.contains { $0.repository == "docker-local" && $0.answer == "not here" })
                    #expect(cold.steps.contains { $0.repository == "hub" && $0.answer.hasPrefix("it has this") })
                    let kept = try await server.send("GET", "/repository/hub/v2/_catalog")
                    #expect(!kept.text.contains("acme"))
                    try await tools.succeed(["skopeo", "copy", "--src-tls-verify=false", "docker://\(server.host)/all/acme/base:1", "dir:\(folder.path)/got"])
                    await registry.stop()
                    let warm = try await trace("\(url)?explain")
                    #expect(warm.answer.status == 200 && warm.answer.cache == "HIT")
                    let missing = try await trace("http://\(server.host)/v2/all/acme/base/manifests/2?explain")
                    #expect(missing.answer.status == 503)
                    #expect(missing.steps.contains { $0.repository == "hub" && $0.answer.contains("in trouble") })
                    let outside = try await ask("--header", "X-Forwarded-For: 203.0.113.9", "--write-out", "%{http_code}", "\(url)?explain")
                    #expect(outside.hasSuffix("403") && outside.contains("DENIED"))
                }
            }
        }
    }
}
