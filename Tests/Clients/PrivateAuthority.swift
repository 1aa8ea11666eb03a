import Foundation
import Testing

/// A certificate authority that nobody knows but who is given its certificate, made with openssl.
struct PrivateAuthority {
    let folder: URL
    /// What clients shall trust.
    var certificate: URL { self.folder.appending(path: "ca.crt") }

    init(in folder: URL) async throws {
        self.folder = folder.appending(path: "authority")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        try await Self.openssl(
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=authority of a test"]
                + ["-keyout", "ca.key", "-out", "ca.crt"], in: self.folder)
    }

    /// A certificate for the loopback, and for the address that a test gives itself, with the key beside it.
    func issue(_ name: String, serial: Int) async throws -> Issued {
        let files = Issued(certificate: self.folder.appending(path: "\(name).crt"), key: self.folder.appending(path: "\(name).key"), serial: serial)
        try Data("subjectAltName=IP:127.0.0.1,DNS:localhost,IP:\(Self.otherAddress)\n".utf8).write(to: self.folder.appending(path: "names"))
        try await Self.openssl(
            ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-keyout", "\(name).key"]
                + ["-out", "\(name).csr"], in: self.folder)
        try await Self.openssl(
            ["x509", "-req", "-in", "\(name).csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial", "\(serial)", "-days", "2", "-extfile", "names"]
                + ["-out", "\(name).crt"], in: self.folder)
        return files
    }

    /// A folder as `--cert-dir` and certs.d want it: with the authority in it, or empty.
    func trust(_ name: String, knowsAuthority: Bool = true) throws -> URL {
        let trust = self.folder.appending(path: name)
        try FileManager.default.createDirectory(at: trust, withIntermediateDirectories: true)
        if knowsAuthority { try FileManager.default.copyItem(at: self.certificate, to: trust.appending(path: "ca.crt")) }
        return trust
    }

    /// No loopback address, of the block for documentation: dockerd trusts whoever is at 127.0.0.0/8.
    static let otherAddress = "192.0.2.1"

    private static func openssl(_ words: [String], in folder: URL) async throws { try await succeed(["openssl"] + words, in: folder) }

    struct Issued {
        var certificate: URL
        var key: URL
        var serial: Int

        /// Takes the place of another, each file by a rename, as programs do that renew certificates.
        func replace(_ other: Issued) throws {
            for (fresh, old) in [(self.certificate, other.certificate), (self.key, other.key)] {
                let copy = old.appendingPathExtension("new")
                try FileManager.default.copyItem(at: fresh, to: copy)
                try copy.take(placeOf: old)
            }
        }
    }
}

extension URL {
    /// By a rename: there is one file or the other at every moment.
    func take(placeOf other: URL) throws {
        try #require(rename(self.path, other.path) == 0, "rename: \(String(cString: strerror(errno)))")
    }
}
