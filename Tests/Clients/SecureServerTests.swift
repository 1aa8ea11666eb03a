import Foundation
import Testing

extension Clients {
    @Suite("TLS itself", .timeLimit(.minutes(4)), .timed) struct SecureServers {
        @Test("a certificate that is replaced is served to who comes after it, and a slow download goes on to its end", .needs("openssl", "curl"))
        func replaced() async throws {
            try await withSecureServer { server in
                let (sent, got) = (server.folder.appending(path: "sent"), server.folder.appending(path: "got"))
                try Data((0..<(24 << 20)).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }).write(to: sent)
                let address = "\(server.url)/repository/files/big.bin"
                _ = try await server.curl("--fail", "--upload-file", sent.path, address)
                #expect(try await server.serial() == 4711)
                let slow = try ChildProcess(
                    [
                        "curl", "--silent", "--show-error", "--fail", "--cacert", server.authority.certificate.path, "--limit-rate", "2M", "--output", got.path,
                        address,
                    ],
                    in: server.folder)
                #expect(await eventually(within: .seconds(20)) { Self.size(got) > 0 })
                try await server.authority.issue("next", serial: 4712).replace(server.issued)
                var serial: Int? = 4711
                let clock = ContinuousClock()
                let end = clock.now.advanced(by: .seconds(30))
                while serial == 4711, clock.now < end { serial = try await server.serial() }
                #expect(serial == 4712 && slow.isRunning)
                #expect(await slow.wait(atMost: .seconds(60)) == 0, "\(slow.errorText)")
                #expect(FileManager.default.contentsEqual(atPath: sent.path, andPath: got.path))
                #expect(server.child.outputText.contains("a certificate changed and was read again"))
            }
        }

        private static func size(_ file: URL) -> Int {
            // Not there before curl has begun.
            (try? FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int) ?? 0
        }

        @Test("SIGHUP reads certificates at once; a pair that does not fit leaves the old one, and the log says why", .needs("openssl"))
        func hangup() async throws {
            try await withSecureServer { server in
                let next = try await server.authority.issue("next", serial: 99)
                let other = try await server.authority.issue("other", serial: 100)
                try Data(contentsOf: other.key).write(to: server.issued.key)
                server.child.signal(SIGHUP)
                #expect(await eventually(within: .seconds(10)) { server.child.outputText.contains("does not fit the first certificate") })
                #expect(try await server.serial() == 4711)
                try next.replace(server.issued)
                server.child.signal(SIGHUP)
                #expect(await eventually(within: .seconds(10)) { server.child.outputText.contains("certificates were read again") })
                #expect(try await server.serial() == 99)
            }
        }

        @Test("TLS 1.2 and 1.3 are spoken, and nothing older", .needs("openssl"))
        func versions() async throws {
            try await withSecureServer { server in
                // Without the last words this openssl would not even offer what is old.
                let versions = [
                    (["-tls1", "-cipher", "ALL:@SECLEVEL=0"], nil), (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], nil), (["-tls1_2"], 4711), (["-tls1_3"], 4711),
                ]
                for (options, serial) in versions {
                    let found = try await server.serial(options)
                    #expect(found == serial, "\(options)")
                }
            }
        }

        @Test("the redirect port sends reads and uploads on to HTTPS, answers health, and HTTPS says that it is there to stay", .needs("openssl", "curl"))
        func redirect() async throws {
            let (port, from) = (try freePort(), try freePort())
            try await withSecureServer(port: port, tls: "redirectFrom: \(from), hsts: 30d") { server in
                let plain = "http://127.0.0.1:\(from)"
                let asked = try await server.curl(
                    "--output", "/dev/null", "--write-out", "%{http_code} %{redirect_url}", "\(plain)/v2/acme/app/tags/list?n=5&last=a%2Fb")
                #expect(asked == "301 \(server.url)/v2/acme/app/tags/list?n=5&last=a%2Fb")
                let posted = try await server.curl("--output", "/dev/null", "--write-out", "%{http_code} %{redirect_url}", "--data", "x", "\(plain)/a")
                #expect(posted == "308 \(server.url)/a")
                #expect(try await server.curl("\(plain)/health/live") == "live\n")
                let file = server.folder.appending(path: "file")
                try Data(repeating: 7, count: 3 << 20).write(to: file)
                _ = try await server.curl("--fail", "--location", "--upload-file", file.path, "\(plain)/repository/files/a/b.bin")
                let back = server.folder.appending(path: "back")
                _ = try await server.curl("--fail", "--location", "--output", back.path, "\(plain)/repository/files/a/b.bin")
                #expect(FileManager.default.contentsEqual(atPath: file.path, andPath: back.path))
                let head = try await server.curl("--head", "\(server.url)/v2/")
                #expect(head.lowercased().contains("strict-transport-security: max-age=2592000\r\n"))
                #expect(try await !server.curl("--head", "\(plain)/v2/").lowercased().contains("strict-transport-security"))
            }
        }

        @Test(
            "a certificate or key that cannot be used ends the start with the file's name and what to do",
            .needs("openssl"), arguments: ["missing", "encrypted", "swapped", "other"])
        func unusable(_ slip: String) async throws {
            try await withTemporaryFolder { folder in
                let authority = try await PrivateAuthority(in: folder)
                let issued = try await authority.issue("server", serial: 1)
                let words: String
                switch slip {
                case "missing":
                    try FileManager.default.removeItem(at: issued.key)
                    words = "the key \(issued.key.path) cannot be read: No such file or directory"
                case "encrypted":
                    let line = ["openssl", "pkey", "-in", issued.key.path, "-aes128", "-passout", "pass:secret", "-out", "\(issued.key.path).new"]
                    try await succeed(line, in: folder)
                    try issued.key.appendingPathExtension("new").take(placeOf: issued.key)
                    words = "the key \(issued.key.path) is encrypted"
                case "swapped":
                    try issued.key.take(placeOf: issued.certificate)
                    try Data("nothing".utf8).write(to: issued.key)
                    words = "the certificate \(issued.certificate.path) holds no certificate in PEM"
                default:
                    try await authority.issue("other", serial: 2).key.take(placeOf: issued.key)
                    words = "the key \(issued.key.path) does not fit the first certificate of \(issued.certificate.path)"
                }
                let file = folder.appending(path: "entrepot.yaml")
                let text = "server: { tls: { certificate: \"\(issued.certificate.path)\", key: \"\(issued.key.path)\" } }\nsecurity: { openAccess: true }\n"
                try Data(text.utf8).write(to: file)
                let line = [Surroundings.binary, "serve", "--config", file.path, "--data", folder.appending(path: "data").path, "--listen", "127.0.0.1:0"]
                let ended = try await run(line, in: folder, deadline: .seconds(20))
                #expect(ended.status == 1 && ended.errors.contains(words), "\(ended.errors)")
            }
        }
    }
}
