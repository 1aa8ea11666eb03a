import Foundation
import Testing

/// The server over TLS, with a certificate of the test's own authority.
struct SecureServer {
    let port: Int
    let address: String
    let folder: URL
    let authority: PrivateAuthority
    let issued: PrivateAuthority.Issued
    let child: ChildProcess

    var host: String { "\(self.address):\(self.port)" }
    var url: String { "https://\(self.host)" }

    /// - Parameters:
    ///   - address: where it listens.
    ///   - port: 0: the system chooses.
    ///   - tls: more keys of `server.tls`.
    ///   - server: more keys of `server`, each line with its comma.
    ///   - inside: a command that starts others somewhere else, before the server's own.
    static func start(
        in folder: URL, _ authority: PrivateAuthority, address: String = "127.0.0.1", port: Int = 0, tls: String = "", server: String = "",
        inside: [String] = []
    ) async throws -> SecureServer {
        let issued = try await authority.issue("server", serial: 4711)
        let text = """
            server: { \(server) tls: { certificate: "\(issued.certificate.path)", key: "\(issued.key.path)", \(tls) } }
            docker: { defaultRepository: docker-local }
            repositories:
              docker-local: { format: docker, type: hosted }
              files: { format: raw, type: hosted }
            security: { openAccess: true }

            """
        let file = folder.appending(path: "entrepot.yaml")
        try Data(text.utf8).write(to: file)
        let line = [Surroundings.binary, "serve", "--config", file.path, "--data", folder.appending(path: "data").path, "--listen", "\(address):\(port)"]
        let child = try ChildProcess(inside + line, in: folder)
        var found: Int?
        _ = await eventually(within: .seconds(30)) {
            found = child.outputText.firstMatch(of: #/listening on https://[0-9.]+:(\d+)/#).flatMap { Int($0.output.1) }
            return found != nil || !child.isRunning
        }
        if found == nil { child.signal(SIGKILL) }
        let bound = try #require(found, "the server did not start: \(child.errorText.suffix(3000))")
        return SecureServer(port: bound, address: address, folder: folder, authority: authority, issued: issued, child: child)
    }

    /// Who is there, by the number of its certificate; nil where no handshake came about.
    func serial(_ options: [String] = []) async throws -> Int? {
        let shown = try await run(["openssl", "s_client", "-connect", self.host] + options, in: self.folder, deadline: .seconds(20))
        guard shown.output.contains("BEGIN CERTIFICATE") else { return nil }
        let file = self.folder.appending(path: "shown-\(UInt32.random(in: 0...UInt32.max))")
        try Data(shown.output.utf8).write(to: file)
        let line = try await succeed(["openssl", "x509", "-in", file.path, "-noout", "-serial"], in: self.folder)
        return line.split(separator: "=").last.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines), radix: 16) }
    }

    /// curl that trusts the authority, and prints nothing but what was asked for.
    func curl(_ words: String...) async throws -> String {
        try await succeed(["curl", "--silent", "--show-error", "--cacert", self.authority.certificate.path] + words, in: self.folder)
    }
}

/// A server over TLS with an empty data folder; at the end it must drain and end with 0.
func withSecureServer(
    port: Int = 0, tls: String = "", server: String = "", _ body: (SecureServer) async throws -> Void
) async throws {
    try await withTemporaryFolder { folder in
        let server = try await SecureServer.start(in: folder, try await PrivateAuthority(in: folder), port: port, tls: tls, server: server)
        do {
            try await body(server)
        } catch {
            server.child.signal(SIGKILL)
            _ = await server.child.wait(atMost: .seconds(10))
            throw error
        }
        server.child.signal(SIGTERM)
        let status = await server.child.wait(atMost: .seconds(40))
        #expect(status == 0, "SIGTERM: \(server.child.errorText.suffix(2000))")
    }
}

/// A port that was free a moment ago, for what must know it beforehand.
func freePort() throws -> Int {
    var (address, length) = (loopback(0), socklen_t(MemoryLayout<sockaddr_in>.size))
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0 }
    }
    try #require(isBound, "no port: \(String(cString: strerror(errno)))")
    return Int(UInt16(bigEndian: address.sin_port))
}

/// Whether somebody listens there.
func accepts(_ port: Int) -> Bool {
    var address = loopback(port)
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }
}

private func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return address
}
