import Foundation
import Testing

extension Clients {
    @Suite("Helm", .timeLimit(.minutes(6)), .timed) struct Helm {
        @Test(
            "publishing in every way, repositories, searches, ranges, dependencies, provenance and credentials with Helm 3 and 4; and with the upstream gone",
            .enabled(if: Surroundings.isThere(Surroundings.pythonHelm), "not installed; see scripts/python-clients"), .needs("gpg"))
        func charts() async throws {
            try await withTemporaryFolder { folder in
                print(
                    try await succeed(
                        [Surroundings.pythonHelm, Surroundings.script("helm_charts.py"), Surroundings.binary, folder.path],
                        environment: ["PYTHONDONTWRITEBYTECODE": "1"], in: folder, deadline: .seconds(300)))
            }
        }
    }
}
