import Foundation
import Testing

extension Clients {
    @Suite("proxies, request by request", .timeLimit(.minutes(3)), .timed) struct ProxyRequests {
        @Test(
            "proxies of docker-registry", .needs("python3", "docker-registry", "busybox", "htpasswd", "openssl"),
            arguments: [
                // With an htpasswd and with a token service: what may be had comes, a refusal is told as such and tells no secret.
                "proxy_auth.py",
                // One before the other: names, X-Cache and Age at each level, and what still pulls as one after the other stops.
                "proxy_chain.py",
                // Indexes, attestations and referrers byte for byte, and nothing fetched that nobody asked for.
                "proxy_index.py",
            ])
        func scenario(_ script: String) async throws {
            try await withTemporaryFolder { folder in
                let busybox = try #require(Surroundings.program("busybox"))
                try await succeed(
                    ["python3", Surroundings.script(script), Surroundings.binary, folder.path, URL(filePath: busybox).resolvingSymlinksInPath().path],
                    environment: ["PYTHONDONTWRITEBYTECODE": "1"], in: folder, deadline: .seconds(120))
            }
        }
    }
}
