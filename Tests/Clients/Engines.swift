import Foundation
import Testing

/// The docker command, speaking to an engine of the test's own.
struct DockerCommand {
    let folder: URL
    let environment: [String: String]

    /// Debian's own command, which has a builder of its own, before another on PATH, which may have none.
    private static var program: String { FileManager.default.isExecutableFile(atPath: "/usr/bin/docker") ? "/usr/bin/docker" : "docker" }

    func run(_ line: [String], environment: [String: String] = [:]) async throws -> Ended {
        try await ClientTests.run([Self.program] + line, environment: self.environment.merging(environment) { $1 }, in: self.folder, deadline: .seconds(120))
    }

    @discardableResult
    func succeed(_ line: [String], environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
        let ended = try await self.run(line, environment: environment)
        try #require(
            ended.status == 0, "docker \(line.joined(separator: " ")): \(ended.status)\n\(ended.errors.suffix(3000))", sourceLocation: sourceLocation)
        return ended.output
    }
}

/// Starts dockerd over folders of its own, without networks, and ends it.
/// - Parameter mirrors: URLs where it looks for Docker Hub's images first.
func withDocker(in folder: URL, mirrors: [String] = [], _ body: (DockerCommand) async throws -> Void) async throws {
    try await withDocker(in: folder, mirrors: mirrors, startedBy: []) { docker, _ in try await body(docker) }
}

/// - Parameters:
///   - startedBy: a command that becomes the one that follows it.
///   - body: is given dockerd's process id, too.
func withDocker(
    in folder: URL, mirrors: [String] = [], startedBy starter: [String], _ body: (DockerCommand, _ engine: Int32) async throws -> Void
) async throws {
    let configuration = """
        { "data-root": "\(folder.path)/docker/root", "exec-root": "\(folder.path)/docker/exec", "pidfile": "\(folder.path)/docker.pid",
          "hosts": ["unix://\(folder.path)/docker.sock"], "iptables": false, "ip6tables": false, "bridge": "none",
          "registry-mirrors": [\(mirrors.map { "\"\($0)\"" }.joined(separator: ", "))] }
        """
    let file = folder.appending(path: "daemon.json")
    try Data(configuration.utf8).write(to: file)
    let engine = try ChildProcess(starter + [Surroundings.program("dockerd") ?? "dockerd", "--config-file", file.path], in: folder)
    let environment = ["DOCKER_HOST": "unix://\(folder.path)/docker.sock", "DOCKER_CONFIG": "\(folder.path)/docker-config"]
    let docker = DockerCommand(folder: folder, environment: environment)
    try await ending(engine) {
        try await answering(engine) { try await docker.run(["version"]).status == 0 }
        try await body(docker, engine.pid)
    }
}

/// Starts containerd over folders of its own, and ends it. `body` is given the path of its socket.
func withContainerd(in folder: URL, _ body: (String) async throws -> Void) async throws {
    let home = folder.appending(path: "containerd").path
    let configuration = """
        version = 2
        root = "\(home)/root"
        state = "\(home)/state"
        disabled_plugins = ["io.containerd.grpc.v1.cri"]
        [grpc]
          address = "\(home)/sock"
        [ttrpc]
          address = "\(home)/sock.ttrpc"

        """
    let file = folder.appending(path: "containerd.toml")
    try Data(configuration.utf8).write(to: file)
    let engine = try ChildProcess(["containerd", "--config", file.path], in: folder)
    try await ending(engine) {
        try await answering(engine) { try await run(["ctr", "--address", "\(home)/sock", "version"], in: folder).status == 0 }
        try await body("\(home)/sock")
    }
}

/// Ends the engine however `body` ends, and waits for it: it must have unmounted before its folder is removed.
private func ending(_ engine: ChildProcess, _ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch {
        engine.signal(SIGTERM)
        _ = await engine.wait(atMost: .seconds(30))
        print("the engine said:\n\(engine.errorText.suffix(1500))")
        throw error
    }
    engine.signal(SIGTERM)
    _ = await engine.wait(atMost: .seconds(30))
}

private func answering(_ engine: ChildProcess, _ answers: () async throws -> Bool) async throws {
    let clock = ContinuousClock()
    let end = clock.now.advanced(by: .seconds(60))
    while try await !answers() {
        try #require(engine.isRunning && clock.now < end, "the engine did not start: \(engine.errorText.suffix(3000))")
        try await clock.sleep(for: .milliseconds(100))
    }
}
