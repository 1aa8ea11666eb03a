import Foundation
import Testing

extension Clients {
    @Suite("a log that nobody reads", .timeLimit(.minutes(3))) struct UnreadLog {
        /// Each makes a line of the access log, of more than 300 bytes: twice a megabyte in all, where a pipe holds 64 KiB.
        private static let requests = 6000

        @Test("a server whose output is a full pipe answers all the same, and SIGTERM ends it with 0")
        func fullPipe() async throws {
            try await withTemporaryFolder { folder in
                let pipe = Pipe()
                let (child, port) = try await Self.start(in: folder, pipe)
                let path = "/v2/docker-local/\(String(repeating: "a", count: 120))/tags/list"
                let answered = try await offPool {
                    let connection = try RawConnection(port: port)
                    return (0..<Self.requests).count { _ in
                        connection.send(Array("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
                        return connection.answer()?.status == 404
                    }
                }
                #expect(answered == Self.requests)
                child.signal(SIGTERM)
                #expect(await child.wait(atMost: .seconds(40)) == 0, "\(child.errorText.suffix(2000))")
                withExtendedLifetime(pipe) {}
            }
        }

        /// Reads up to the line that names the port, and no further.
        private static func start(in folder: URL, _ pipe: Pipe) async throws -> (ChildProcess, Int) {
            let file = folder.appending(path: "entrepot.yaml")
            try Data(ServerProcess.configuration.utf8).write(to: file)
            let data = folder.appending(path: "data")
            try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
            let line = [Surroundings.binary, "serve", "--config", file.path, "--data", data.path, "--listen", "127.0.0.1:0"]
            let child = try ChildProcess(line, in: folder, pipe: pipe)
            let port = try await offPool {
                var text = ""
                while case let bytes = pipe.fileHandleForReading.availableData, !bytes.isEmpty {
                    text += String(decoding: bytes, as: UTF8.self)
                    if let found = text.firstMatch(of: #/listening on http://127\.0\.0\.1:(\d+)\n/#) { return Int(found.output.1) }
                }
                return nil
            }
            if port == nil { child.signal(SIGKILL) }
            return (child, try #require(port, "the server did not start: \(child.errorText.suffix(2000))"))
        }
    }
}
