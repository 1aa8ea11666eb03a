import Foundation
import Testing

extension Clients {
    @Suite("calls of the system that fail", .timeLimit(.minutes(60))) struct Faults {
        private static let kinds = ["kill-before", "kill-after", "EIO", "ENOSPC"]

        /// Of several hundred calls some in CI, and each with `ENTREPOT_FULL=1`. One process for each kind, side by side.
        @Test(
            "killed before and after each write, sync, rename and unlink, and with each of them failing, the server keeps what it acknowledged",
            .needs("cc", "python3"))
        func each() async throws {
            try await withTemporaryFolder { folder in
                let library = folder.appending(path: "faults.so").path
                try await succeed(["cc", "-shared", "-fPIC", "-O1", "-o", library, Surroundings.script("faults.c"), "-ldl"], in: folder)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (number, kind) in Self.kinds.enumerated() {
                        let place = folder.appending(path: kind)
                        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
                        // Other calls for each kind.
                        let stride = Surroundings.isFull ? 1 : 41
                        let line = [
                            "python3", Surroundings.script("faults.py"), Surroundings.binary, library, place.path, "\(stride)",
                            "\(Surroundings.isFull ? 1 : 5 + 9 * number)", kind,
                        ]
                        group.addTask { try await succeed(line, in: place, deadline: .seconds(3000)) }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }
}
