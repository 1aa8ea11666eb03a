import Foundation
import Testing

/// Debian's docker-registry, which the proxies of these tests pull from: another program's idea of the protocol.
struct UpstreamRegistry {
    /// Who may pull from it.
    enum Guard: String, CaseIterable { case nobody, passwords, tokens }

    static let user = "alice"
    static let password = "pass-of-alice"

    let port: Int
    private let child: ChildProcess
    private let service: ChildProcess?

    /// With these images, each of them for two platforms and with attestations.
    static func start(in folder: URL, guarded: Guard = .nobody, images: [String]) async throws -> UpstreamRegistry {
        let name = "registry-\(guarded)"
        let head = "version: 0.1\nstorage: { filesystem: { rootdirectory: \(folder.path)/\(name) } }\nhttp: { addr: '127.0.0.1:0', secret: none }\n"
        // Nobody may push to one that is guarded: an open one over the same storage takes the images first.
        let seed = try await Self.serving(head, name: "\(name)-seed", in: folder)
        let busybox = try #require(Surroundings.program("busybox"), "busybox-static is not installed; see scripts/packages")
        let push = ["python3", Surroundings.script("push_images.py"), "\(seed.port)", URL(filePath: busybox).resolvingSymlinksInPath().path]
        try await succeed(push + images, environment: ["PYTHONDONTWRITEBYTECODE": "1"], in: folder)
        if guarded == .nobody { return UpstreamRegistry(port: seed.port, child: seed.child, service: nil) }
        seed.child.signal(SIGTERM)
        _ = await seed.child.wait(atMost: .seconds(10))
        let (auth, service) = try await Self.authentication(guarded, in: folder)
        let found = try await Self.serving(head + auth, name: name, in: folder)
        return UpstreamRegistry(port: found.port, child: found.child, service: service)
    }

    private static func authentication(_ guarded: Guard, in folder: URL) async throws -> (String, ChildProcess?) {
        if guarded == .passwords {
            let entry = try await succeed(["htpasswd", "-Bbn", Self.user, Self.password], in: folder)
            try Data(entry.utf8).write(to: folder.appending(path: "htpasswd"))
            return ("auth: { htpasswd: { realm: test, path: \(folder.path)/htpasswd } }\n", nil)
        }
        let line = ["python3", Surroundings.script("token_service.py"), folder.path, Self.user, Self.password]
        let service = try ChildProcess(line, environment: ["PYTHONDONTWRITEBYTECODE": "1"], in: folder)
        let port = try await Self.port(of: service)
        let realm = "realm: 'http://127.0.0.1:\(port)/token', service: test-registry, issuer: test-issuer"
        return ("auth: { token: { \(realm), rootcertbundle: \(folder.path)/tokens.crt } }\n", service)
    }

    private static func serving(_ configuration: String, name: String, in folder: URL) async throws -> (port: Int, child: ChildProcess) {
        let file = folder.appending(path: "\(name).yml")
        try Data(configuration.utf8).write(to: file)
        let child = try ChildProcess(["docker-registry", "serve", file.path], in: folder)
        return (try await Self.port(of: child), child)
    }

    private static func port(of child: ChildProcess) async throws -> Int {
        var port: Int?
        _ = await eventually(within: .seconds(30)) {
            port = (child.outputText + child.errorText).firstMatch(of: #/listening on 127\.0\.0\.1:(\d+)/#).flatMap { Int($0.output.1) }
            return port != nil || !child.isRunning
        }
        if port == nil { child.signal(SIGKILL) }
        return try #require(port, "it did not start: \(child.errorText.suffix(2000))")
    }

    /// Of its access log: `GET /v2/library/app/manifests/1`, what was answered 200, in order.
    var served: [String] {
        self.child.outputText.matches(of: #/"((?:GET|HEAD) \S+) HTTP/1\.1" 200/#).map { String($0.output.1) }
    }

    /// The same, once it has in it what is looked for: docker-registry writes its log after an answer's last byte.
    func served(_ isComplete: ([String]) -> Bool) async -> [String] {
        _ = await eventually(within: .seconds(5)) { isComplete(self.served) }
        return self.served
    }

    func hasServed(_ request: String) async -> Bool { await self.served { $0.contains(request) }.contains(request) }

    /// It and its token service.
    func stop() async {
        for child in [self.child, self.service].compactMap(\.self) {
            child.signal(SIGTERM)
            _ = await child.wait(atMost: .seconds(10))
        }
    }
}

/// An Entrepot before a docker-registry.
struct ProxyGround {
    /// What a client calls a short name's image at Docker Hub, and the rest that tests pull.
    static let images = ["library/app:1", "library/docker:dind", "docker/dockerfile:1", "team/app:1"]

    let upstream: UpstreamRegistry
    let server: ServerProcess
    /// The proxy's own root, as `host:port`.
    let root: String

    /// With `maxAge: 0s`, so that every pull asks the upstream, if that is there. `library/…` of the shared root is nobody's: a name that
    /// arrives without what says whose it is, is refused.
    static func configuration(of upstream: UpstreamRegistry) -> String {
        """
        outbound: { allowPrivate: [127.0.0.0/8] }
        docker:
          defaultRepository: docker-local
          namespaces: { docker.io: hub }
        repositories:
          docker-local: { format: docker, type: hosted }
          hub:
            format: docker
            type: proxy
            remote: "http://127.0.0.1:\(upstream.port)"
            officialPrefix: library
            authentication: { username: \(UpstreamRegistry.user), password: \(UpstreamRegistry.password) }
            cache: { maxAge: 0s }
            mirror: true
            listen: "127.0.0.1:0"
          refused:
            format: docker
            type: proxy
            remote: "http://127.0.0.1:\(upstream.port)"
            officialPrefix: library
            authentication: { username: \(UpstreamRegistry.user), password: "not-\(UpstreamRegistry.password)" }

        """
    }
}

/// Stops the upstream and the server however `body` ends.
func withProxy(guarded: UpstreamRegistry.Guard = .nobody, _ body: (ProxyGround) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
        let upstream = try await UpstreamRegistry.start(in: folder, guarded: guarded, images: ProxyGround.images)
        do {
            let server = try await ServerProcess.start(in: folder, configuration: ProxyGround.configuration(of: upstream))
            do {
                let roots = server.child.outputText.matches(of: #/listening on http://(\S+)/#).map { String($0.output.1) }
                try await body(ProxyGround(upstream: upstream, server: server, root: try #require(roots.last)))
                #expect(await server.stop() == 0)
            } catch {
                await server.kill()
                print("the server said:\n\(server.child.errorText.suffix(3000))")
                throw error
            }
            await upstream.stop()
        } catch {
            await upstream.stop()
            throw error
        }
    }
}
