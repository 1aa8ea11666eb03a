import Foundation
import Testing

extension Clients {
    @Suite("Maven", .timeLimit(.minutes(8)), .timed) struct Maven {
        @Test(
            "builds through a group, deploys of releases, snapshots and reactors at once, plugins and checksums; and the same build with the upstream gone",
            .needs("mvn", "gradle", "java", "python3"))
        func builds() async throws { try await self.run("maven_build.py", within: .seconds(420)) }

        @Test("no, wrong, good, reading and revoked credentials, and what is answered before a body has come", .needs("mvn", "python3"))
        func access() async throws { try await self.run("maven_access.py", within: .seconds(240)) }

        private func run(_ script: String, within deadline: Duration) async throws {
            try await withTemporaryFolder { folder in
                print(
                    try await succeed(
                        ["python3", Surroundings.script(script), Surroundings.binary, folder.path], environment: ["PYTHONDONTWRITEBYTECODE": "1"],
                        in: folder, deadline: deadline))
            }
        }
    }
}
