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
    }
}
