import FormatAPI
import HTTPTypes

extension HTTPField.Name {
    static let contentMD5 = Self.known("Content-MD5")
    static let bodyDigest = Self.known("Content-Digest")
    static let representationDigest = Self.known("Repr-Digest")
    static let oldDigest = Self.known("Digest")
}
