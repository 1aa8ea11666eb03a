import Foundation
import Testing

extension Clients {
    @Suite("Maven", .timeLimit(.minutes(8)), .timed) struct Maven {
        @Test(
            "builds through a group, deploys of releases, snapshots and reactors at once, plugins and checksums; and the same build with the upstream gone",
            .needs("mvn", "gradle", "java", "python3"))
        func builds() async throws {
            try await withTemporaryFolder { folder in
                print(
                    try await succeed(
                        ["python3", Surroundings.script("maven_build.py"), Surroundings.binary, folder.path], environment: ["PYTHONDONTWRITEBYTECODE": "1"],
                        in: folder, deadline: .seconds(420)))
            }
        }
    }
}
