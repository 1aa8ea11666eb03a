import Foundation
import Testing

/// The server, started from the built binary on a free port, over a folder with its configuration and its data.
struct ServerProcess {
    /// One repository of each kind that the tests speak to.
    static let configuration = """
        configVersion: 1
        security: { openAccess: true }
        docker:
          defaultRepository: docker-local
        repositories:
          docker-local: { format: docker, type: hosted }
          files: { format: raw, type: hosted }

        """

    let port: Int
    let folder: URL
    let child: ChildProcess

    var host: String { "127.0.0.1:\(self.port)" }
    var url: String { "http://\(self.host)" }
    var files: String { "\(self.url)/repository/files" }
    var configurationFile: URL { self.folder.appending(path: "entrepot.yaml") }
    var data: URL { self.folder.appending(path: "data") }

    /// Over what is in the folder already, if anything is: a restart is a second start.
    ///
    /// Open to everyone where the configuration says nothing of security: most tests are about other things.
    static func start(in folder: URL, configuration: String = Self.configuration) async throws -> ServerProcess {
        let file = folder.appending(path: "entrepot.yaml")
        let isSilent = !configuration.contains("security:")
        try Data((configuration + (isSilent ? "\nsecurity: { openAccess: true }\n" : "")).utf8).write(to: file)
        let data = folder.appending(path: "data")
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        let child = try ChildProcess(
            [Surroundings.binary, "serve", "--config", file.path, "--data", data.path, "--listen", "127.0.0.1:0"], in: folder)
        var port: Int?
        _ = await eventually(within: .seconds(30)) {
            port = child.outputText.firstMatch(of: #/listening on http://127\.0\.0\.1:(\d+)/#).flatMap { Int($0.output.1) }
            return port != nil || !child.isRunning
        }
        if port == nil { child.signal(SIGKILL) }
        return ServerProcess(port: try #require(port, "the server did not start: \(child.errorText.suffix(3000))"), folder: folder, child: child)
    }

    func restarted() async throws -> ServerProcess { try await Self.start(in: self.folder) }

    /// SIGTERM and its exit status; nil where it had to be killed.
    func stop() async -> Int32? {
        self.child.signal(SIGTERM)
        return await self.child.wait(atMost: .seconds(40))
    }

    func kill() async {
        self.child.signal(SIGKILL)
        _ = await self.child.wait(atMost: .seconds(10))
    }

    /// In bytes, of what is resident now (`VmRSS`) or was at most (`VmHWM`).
    func memory(_ field: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(self.child.pid)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("\(field):") })
        return try #require(line.split(separator: " ").dropLast().last.flatMap { Int($0) }) * 1024
    }
}

/// A server with an empty data folder; at the end it must drain and end with 0.
@discardableResult
func withServer<Result>(
    _ configuration: String = ServerProcess.configuration, _ body: (ServerProcess) async throws -> Result
) async throws -> Result {
    try await withTemporaryFolder { folder in
        let server = try await ServerProcess.start(in: folder, configuration: configuration)
        do {
            let result = try await body(server)
            let status = await server.stop()
            #expect(status == 0, "SIGTERM: \(server.child.errorText.suffix(2000))")
            return result
        } catch {
            await server.kill()
            let log = server.child.errorText
            if !log.isEmpty { print("the server said:\n\(log.suffix(2000))") }
            throw error
        }
    }
}
