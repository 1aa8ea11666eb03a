import Foundation
import Testing

extension Clients {
    @Suite("PullThrough", .timed) struct PullThrough {
        @Test(
            "fifty clients of a cold layer cause one request upstream; without the upstream, what is kept still pulls",
            .needs("python3", "docker-registry"))
        func throughAndWithout() async throws {
            try await withTemporaryFolder { folder in
                try await succeed(
                    ["python3", Surroundings.script("pull_through.py"), Surroundings.binary, folder.path],
                    environment: ["PYTHONDONTWRITEBYTECODE": "1"], in: folder, deadline: .seconds(180))
            }
        }

        @Test("a crowd of one cold layer, and 64 cold ranges of another: what reaches the upstream, first bytes, memory", .needs("python3", "curl"))
        func crowd() async throws {
            try await withTemporaryFolder { folder in
                let said = try await succeed(
                    ["python3", Surroundings.script("cold_crowd.py"), Surroundings.binary, folder.path, "50"],
                    environment: ["PYTHONDONTWRITEBYTECODE": "1"], in: folder, deadline: .seconds(180))
                print(said)
            }
        }
    }
}
