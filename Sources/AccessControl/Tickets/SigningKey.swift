import ArtifactModel
import Crypto
import StorageAPI

/// A secret that tickets, renewals or sessions are signed with: HMAC-SHA-256. Its description leaves the secret out.
struct SigningKey: Sendable, CustomStringConvertible {
    static let signatureLength = 32

    let id: String
    let created: Timestamp
    private let secret: SymmetricKey

    init(_ record: KeyRecord) {
        self.id = record.id
        self.created = record.created
        self.secret = SymmetricKey(data: record.secret)
    }

    var description: String { "key \(self.id)" }

    func signature(of bytes: [UInt8]) -> [UInt8] { Array(HMAC<SHA256>.authenticationCode(for: bytes, using: self.secret)) }

    /// Compares in constant time.
    func signed(_ bytes: [UInt8], as signature: [UInt8]) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: bytes, using: self.secret)
    }
}
