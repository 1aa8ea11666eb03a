import Glibc
import Testing

@testable import WebServer

/// PEM files beside a test's own file, and gone with it.
struct TestCertificate {
    let files: TLSFiles
    private let folder: TestFile

    init(beside folder: TestFile, _ pair: Pair = .first) throws {
        self.folder = folder
        self.files = TLSFiles(certificate: try folder.put("certificate.pem", pair.certificate), key: try folder.put("key.pem", pair.key))
    }

    /// Exchanges the files as a careful program does: each whole, by a rename.
    func replace(certificate: String? = nil, key: String? = nil) throws {
        for (path, text) in [(self.files.certificate, certificate), (self.files.key, key)] {
            guard let text else { continue }
            let fresh = try self.folder.put("fresh.pem", text)
            try #require(rename(fresh, path) == 0)
        }
    }

    /// A certificate for `localhost`, made for these tests alone, and its key.
    struct Pair: Sendable {
        var certificate: String
        var key: String

        static let first = Pair(
            certificate: """
                -----BEGIN CERTIFICATE-----
                MIIBfzCCASWgAwIBAgIUMiKlP8ppUkVS9QJDgn56PYkeLFMwCgYIKoZIzj0EAwIw
                FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzIwMjY1MFoYDzIxMjYxMDMw
                MjAyNjUwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
                PQMBBwNCAATCquI/S7NVLVGrEuHn1BVgACV5pF7WWaJ9zYLNVqMW/UMLMNs2uciH
                bQKrNbowKvkx4bMa5Z1MxiMtaa8hJCzfo1MwUTAdBgNVHQ4EFgQUkjYF36PWY2+o
                lXiXD/aL1N4ObdUwHwYDVR0jBBgwFoAUkjYF36PWY2+olXiXD/aL1N4ObdUwDwYD
                VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAiW1Ct1jgq11G5OoD3Sqo
                oG+2+SqIT4zajErrPxh7LiwCIHIOGRDoiVEB8UUlreYETi+Ov2qb1FQ8rKVvit42
                JmEs
                -----END CERTIFICATE-----
                """,
            key: """
                -----BEGIN PRIVATE KEY-----
                MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgh1ORYNOYAWaDM0Sr
                a8qYmhAEjEeKHfiZOGPbw6ZVyoihRANCAATCquI/S7NVLVGrEuHn1BVgACV5pF7W
                WaJ9zYLNVqMW/UMLMNs2uciHbQKrNbowKvkx4bMa5Z1MxiMtaa8hJCzf
                -----END PRIVATE KEY-----
                """)

        static let second = Pair(
            certificate: """
                -----BEGIN CERTIFICATE-----
                MIIBgDCCASWgAwIBAgIUV4vf6TbDyzI7pRJOWAIxtiUZN0owCgYIKoZIzj0EAwIw
                FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNzEzMzE0NVoYDzIxMjYxMTAz
                MTMzMTQ1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
                PQMBBwNCAASEJuxcMai5npAh8Y/rE8wI0xLZaCOupEFFJYbkEcg9NZvRbs7n6Dqb
                fDokEsekYUynPI1/nBaevClEc6aVX49Yo1MwUTAdBgNVHQ4EFgQUL3zlk0hOfERo
                mJj8DAUQUS3aPY0wHwYDVR0jBBgwFoAUL3zlk0hOfERomJj8DAUQUS3aPY0wDwYD
                VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEA3VvcVMSTXHeWII29dIvB
                oz+kRFFPJyRKnY0l5UeFi2MCIQC8gWoMc5ACVFKaAkaXBAHz/KyD7FlYfvXJzh4R
                Neolyw==
                -----END CERTIFICATE-----
                """,
            key: """
                -----BEGIN PRIVATE KEY-----
                MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEycouuK0ChsBlRBu
                wL9Twi2/DHg7hndMOmzy5e2McOihRANCAASEJuxcMai5npAh8Y/rE8wI0xLZaCOu
                pEFFJYbkEcg9NZvRbs7n6DqbfDokEsekYUynPI1/nBaevClEc6aVX49Y
                -----END PRIVATE KEY-----
                """)

        /// The second key again, under a passphrase: in the two ways that there are.
        static let encrypted = [
            """
            -----BEGIN ENCRYPTED PRIVATE KEY-----
            MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgbmhtY8z0HywICA+gw
            DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEBjbZizGxvAgfsxpKiLIFjYEgZC/
            vJ5P7nVIZ1MF1YdLbh+WWhtQ8fVxia7EicD763SpQG3v6XMsz9X1yZ+P+0ftt+62
            tu07ajt+U2yVrjzLmN3nKYQDlV8+x/ysk7ifHkx1SucmaFCDVYmwuRWIo75oBd6i
            gYb/pEvbKZbl7T2+NtVmifKTE+JPlokGp5ALzfQXLN/JHbKepKyCXlhaXgGGjG4=
            -----END ENCRYPTED PRIVATE KEY-----
            """,
            """
            -----BEGIN EC PRIVATE KEY-----
            Proc-Type: 4,ENCRYPTED
            DEK-Info: AES-128-CBC,5EA0669CFCAA02F73DC7F48F5292CA40

            1m6Nlee4KOuERf54KoYDQ1K0kU61DYnUiy1T1bGgRBCUu1LoxQ6Ahn/QNlffKtf6
            PVmqS3vmsxd/LsOhuOmMoGQLbFtUYC8WX20AWmtH470a3cVBPGMFLllPJJbTxqHk
            X8KK+MBU3lTcOZ9DgA2Y4eQpTkbu3K/VK5F+EVyA8IE=
            -----END EC PRIVATE KEY-----
            """,
        ]
    }
}
