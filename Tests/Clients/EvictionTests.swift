import Foundation
import Testing

extension Clients {
    @Suite("A bounded cache", .timeLimit(.minutes(4)), .timed) struct BoundedCache {
        private static func configuration(_ upstream: ServerProcess) -> String {
            """
            docker: { defaultRepository: hub }
            routingRules:
              none-secret: { mode: block, matchers: ["^/docker-local/secret/"] }
            repositories:
              hub:
                format: docker
                type: proxy
                remote: "http://\(upstream.host)"
                routingRule: none-secret
                cache: { maxSize: 5MiB }
              all: { format: docker, type: group, members: [hub] }

            """
        }

        private struct Status: Decodable {
            struct Cache: Decodable { var repository: String, bytes: Int64, maxSize: Int64 }
            var caches: [Cache]
        }

        private static func entrepot(_ server: ServerProcess, _ words: String...) async throws -> String {
            try await succeed([Surroundings.binary] + words + ["--config", server.configurationFile.path, "--data", server.data.path], in: server.folder)
        }

        private static func kept(by server: ServerProcess) async throws -> Int64 {
            let text = try await Self.entrepot(server, "status", "--json")
            return try #require(try JSONDecoder().decode(Status.self, from: Data(text.utf8)).caches.first).bytes
        }

        /// What the server says of itself, once it is so.
        private static func metric(_ server: ServerProcess, _ name: String, _ isSo: (Double) -> Bool) async throws -> Double {
            var value = -1.0
            for _ in 0..<2000 {
                let text = String(decoding: try await server.send("GET", "/metrics").body, as: UTF8.self)
                value = text.split(separator: "\n").first { $0.hasPrefix(name + "{") }?.split(separator: " ").last.flatMap { Double($0) } ?? -1
                if isSo(value) { break }
            }
            return value
        }

        @Test(
            "skopeo pulls three images through it: the first goes, its space comes back, and it pulls again; what a rule blocks is never asked for",
            .needs("skopeo", "python3"))
        func evicted() async throws {
            try await withServer { upstream in
                for name in ["a", "b", "c", "secret/s"] {
                    try await upstream.pushImage("docker-local/\(name)", tag: "1", content: String(repeating: "layer of \(name) ", count: 180_000))
                }
                try await withServer(Self.configuration(upstream)) { server in
                    let tools = try ContainerStore(in: server.folder)
                    func pull(_ name: String, _ target: String) async throws {
                        let source = "docker://\(server.host)/hub/docker-local/\(name):1"
                        try await tools.succeed(["skopeo", "copy", "--src-tls-verify=false", source, "dir:\(server.folder.path)/\(target)"])
                    }
                    try await pull("a", "a1")
                    try await pull("b", "b1")
                    #expect(try await Self.metric(server, "entrepot_cache_evicted_components_total") { $0 == 0 } == 0)
                    try await pull("c", "c1")
                    #expect(try await Self.metric(server, "entrepot_cache_evicted_components_total") { $0 > 0 } >= 1)
                    #expect(try await Self.metric(server, "entrepot_cache_bytes") { $0 < Double(5 << 20) } < Double(5 << 20))
                    #expect(try await Self.kept(by: server) < 5 << 20)
                    #expect(try await Self.entrepot(server, "status").contains("cache hub: "))
                    try await server.endHolds()
                    let freed = try await Self.entrepot(server, "blobs", "gc")
                    #expect(freed.contains("freed ") && !freed.contains("freed 0 "), "\(freed)")
                    try await pull("a", "a2")
                    try await succeed(["diff", "-r", "a1", "a2"], in: server.folder)
                    let blocked = try await tools.run(["skopeo", "inspect", "--tls-verify=false", "docker://\(server.host)/hub/docker-local/secret/s:1"])
                    #expect(blocked.status != 0)
                    #expect(try await server.send("GET", "/v2/hub/docker-local/secret/s/manifests/1").status == 403)
                    #expect(try await server.send("GET", "/v2/all/docker-local/secret/s/manifests/1").status == 404)
                    #expect(try await Self.entrepot(server, "repo", "warm", "all", "docker-local/b:1").contains("files"))
                    #expect(try await Self.entrepot(server, "repo", "invalidate", "all").contains("asked for again"))
                }
                #expect(!upstream.child.outputText.contains(#"/v2/docker-local/secret/s/manifests/1","status":200"#))
            }
        }
    }
}
