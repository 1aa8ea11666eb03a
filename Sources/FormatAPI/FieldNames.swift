public import HTTPTypes

/// Fields that more than one format reads or writes.
extension HTTPField.Name {
    public static let checksumSHA512 = Self.known("X-Checksum-Sha512")
    public static let checksumSHA256 = Self.known("X-Checksum-Sha256")
    public static let checksumSHA1 = Self.known("X-Checksum-Sha1")
    public static let checksumMD5 = Self.known("X-Checksum-Md5")
    public static let link = Self.known("Link")

    /// A name that is written in the program. Ends the process where it is none.
    public static func known(_ text: StaticString) -> HTTPField.Name {
        guard let name = HTTPField.Name("\(text)") else { preconditionFailure("«\(text)» is a field's name: letters, digits and hyphens") }
        return name
    }
}
