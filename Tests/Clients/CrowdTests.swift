import Foundation
import Testing

extension Clients {
    @Suite("a crowd of clients", .timeLimit(.minutes(5)), .timed) struct Crowd {
        @Test(
            "sixteen clients push images that share layers at once; all are whole, and stay so when every second one is deleted and collected",
            .needs("skopeo", "python3"))
        func sharedLayers() async throws {
            try await withTemporaryFolder { folder in
                let first = try await ServerProcess.start(in: folder)
                try await Self.crowd("push", first)
                #expect(try await Self.crowd("check", first) == "16 images are whole\n")
                try await Self.crowd("drop", first)
                #expect(await first.stop() == 0)
                // Only now: under it, a round of the server's own would take layers from pushes that are on their way.
                let eager = ServerProcess.configuration.replacing("type: hosted }\n  files", with: "type: hosted, unusedBlobAge: 0s }\n  files")
                try Data(eager.utf8).write(to: first.configurationFile)
                try await first.endHolds()
                let freed = try await FullDisk.gc(first)
                // Of each of the eight: its manifest, its configuration and the layer that was its own.
                #expect(freed.contains("freed 24 blobs"), "\(freed)")
                let second = try await first.restarted()
                #expect(try await Self.crowd("check", second) == "8 images are whole\n")
                #expect(await second.stop() == 0)
            }
        }

        @discardableResult
        private static func crowd(_ step: String, _ server: ServerProcess) async throws -> String {
            try await succeed(
                ["python3", Surroundings.script("crowd.py"), step, "\(server.port)", server.folder.path], environment: ["PYTHONDONTWRITEBYTECODE": "1"],
                in: server.folder, deadline: .seconds(180))
        }
    }
}
