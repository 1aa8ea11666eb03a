import Foundation
import Testing

extension Clients {
    /// nginx by the example that is shipped, with TLS of its own, before a server that speaks plain HTTP.
    @Suite("behind nginx", .timeLimit(.minutes(4)), .timed) struct BehindProxy {
        private static let configuration = """
            server: { trustedProxies: [127.0.0.1/32] }
            docker: { defaultRepository: docker-local }
            repositories:
              docker-local: { format: docker, type: hosted }
              files: { format: raw, type: hosted }
            security: { openAccess: true }

            """

        @Test(
            "skopeo pushes and pulls through it, locations stay there, and the log names the client and not the proxy",
            .needs("nginx", "openssl", "skopeo", "buildah", "busybox", "curl"), .needsRoot)
        func images() async throws {
            try await withServer(Self.configuration) { server in
                let authority = try await PrivateAuthority(in: server.folder)
                try await Self.withProxy(before: server, authority) { proxy in
                    let tools = try ContainerStore(in: server.folder)
                    let (trust, layout) = (try authority.trust("trust").path, try await tools.layout())
                    let image = "docker://127.0.0.1:\(proxy)/docker-local/acme/app:1"
                    try await tools.succeed(["skopeo", "copy", "--dest-cert-dir", trust, "oci:\(layout):one", image])
                    try await tools.succeed(["skopeo", "copy", "--src-cert-dir", trust, image, "dir:\(server.folder.path)/back"])
                    // With more than nginx would keep in memory, and a name that it must pass on as it is.
                    let file = server.folder.appending(path: "file")
                    try Data(repeating: 5, count: 32 << 20).write(to: file)
                    let curl = ["curl", "--silent", "--show-error", "--fail", "--cacert", authority.certificate.path]
                    let address = "https://127.0.0.1:\(proxy)/repository/files/a%20b%2Bc.bin"
                    try await succeed(curl + ["--upload-file", file.path, address], in: server.folder)
                    let back = server.folder.appending(path: "got")
                    try await succeed(curl + ["--output", back.path, address], in: server.folder)
                    #expect(FileManager.default.contentsEqual(atPath: file.path, andPath: back.path))
                    let upload = "https://127.0.0.1:\(proxy)/v2/acme/app/blobs/uploads/"
                    let answer = try await succeed(curl + ["--request", "POST", "--dump-header", "-", upload], in: server.folder)
                    let location = try #require(answer.firstMatch(of: #/(?i)location: (\S+)/#).map { String($0.output.1) })
                    #expect(location.hasPrefix("/v2/") || location.hasPrefix("https://127.0.0.1:\(proxy)/v2/"), "\(location)")
                }
            }
        }

        @Test("who speaks for others is believed only where it is trusted, and only as far as that", .needs("nginx", "openssl", "curl"))
        func addresses() async throws {
            try await withServer(Self.configuration) { server in
                let authority = try await PrivateAuthority(in: server.folder)
                try await Self.withProxy(before: server, authority) { proxy in
                    let curl = ["curl", "--silent", "--show-error", "--cacert", authority.certificate.path, "--output", "/dev/null"]
                    let forged = ["--header", "X-Forwarded-For: 203.0.113.9", "--header", "X-Forwarded-Host: evil.example"]
                    let asked = [
                        ("through", "127.0.0.5", "https://127.0.0.1:\(proxy)", []), ("forged-through", "127.0.0.5", "https://127.0.0.1:\(proxy)", forged),
                        ("forged-directly", "127.0.0.6", server.url, forged),
                    ]
                    for (name, from, root, more) in asked {
                        try await succeed(curl + more + ["--interface", from, "\(root)/repository/files/\(name)"], in: server.folder)
                        let found = await eventually(within: .seconds(10)) { Self.client(of: name, server) != nil }
                        #expect(found && Self.client(of: name, server) == from, "\(name): \(Self.client(of: name, server) ?? "no line")")
                    }
                }
            }
        }

        /// Of the request for this file, as the access log has it.
        private static func client(of name: String, _ server: ServerProcess) -> String? {
            let line = server.child.outputText.split(separator: "\n").first { $0.contains("\"path\":\"/repository/files/\(name)\"") }
            return line?.firstMatch(of: #/"client":"([^"]*)"/#).map { String($0.output.1) }
        }

        /// `config/examples/nginx.conf` with the test's own port, files and server.
        private static func withProxy(before server: ServerProcess, _ authority: PrivateAuthority, _ body: (Int) async throws -> Void) async throws {
            let issued = try await authority.issue("proxy", serial: 17)
            let (port, plain) = (try freePort(), try freePort())
            let example = try String(contentsOf: Surroundings.root.appending(path: "config/examples/nginx.conf"), encoding: .utf8)
            let exchanged = [
                ("127.0.0.1:8081", server.host), ("listen 443 ssl;", "listen 127.0.0.1:\(port) ssl;"), ("listen [::]:443 ssl;", ""),
                ("listen 80;", "listen 127.0.0.1:\(plain);"), ("listen [::]:80;", ""), ("/etc/nginx/tls/artifacts.crt", issued.certificate.path),
                ("/etc/nginx/tls/artifacts.key", issued.key.path),
            ]
            var text = example
            for (before, after) in exchanged {
                try #require(text.contains(before), "the example has no «\(before)» any more")
                text = text.replacingOccurrences(of: before, with: after)
            }
            let folder = server.folder.appending(path: "nginx")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder.path)/\($0);" }.joined(separator: " ")
            let whole = """
                \(geteuid() == 0 ? "user root;" : "") daemon off; worker_processes 1; pid \(folder.path)/pid; error_log stderr;
                events { worker_connections 256; }
                http { access_log off; \(temporary)
                \(text)
                }

                """
            let file = folder.appending(path: "nginx.conf")
            try Data(whole.utf8).write(to: file)
            let nginx = try ChildProcess(["nginx", "-c", file.path, "-e", "stderr"], in: folder)
            do {
                let isUp = await eventually(within: .seconds(20)) { accepts(port) || !nginx.isRunning }
                try #require(isUp && nginx.isRunning, "nginx did not start: \(nginx.errorText)")
                try await body(port)
            } catch {
                nginx.signal(SIGTERM)
                _ = await nginx.wait(atMost: .seconds(10))
                throw error
            }
            nginx.signal(SIGTERM)
            _ = await nginx.wait(atMost: .seconds(20))
        }
    }
}
