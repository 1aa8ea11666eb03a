import ArtifactModel

/// A user's name and what it hangs on, signed: what renewals and sessions are.
///
/// ```
/// prefix, then in Base64 for URLs, without padding:
/// 1 byte    1: the version
/// 1 byte    1: a password's epoch follows, 16 bytes; 2: a token's number, 8 bytes
/// 8 bytes   when it ends, in milliseconds since 1970; the greatest number: never
/// …         the name
/// 32 bytes  HMAC-SHA-256 of all before, by a key for this purpose alone
/// ```
/// Numbers have their most significant byte first.
struct SignedSubject: Hashable, Sendable {
    private static let longest = 400

    var name: AccountName
    /// Never `.nothing`.
    var basis: Principal.Basis
    /// nil: never.
    var expires: Timestamp?

    init(name: AccountName, basis: Principal.Basis, expires: Timestamp? = nil) {
        self.name = name
        self.basis = basis
        self.expires = expires
    }

    /// - Returns: nil: there is nothing it hangs on.
    func text(prefix: String, signedWith key: SigningKey) -> String? {
        var bytes: [UInt8] = [1]
        switch self.basis {
        case .nothing: return nil
        case .password(let epoch): bytes += [1] + epoch
        case .token(let id): bytes += [2] + Self.bytes(id)
        }
        bytes += Self.bytes(self.expires?.milliseconds ?? .max) + Array(self.name.text.utf8)
        return prefix + Base64.text(bytes + key.signature(of: bytes), .url)
    }

    /// - Parameter keys: those that count; one that signed it is enough.
    /// - Returns: nil: none of them has. Whether its time is over is for the caller to see.
    init?(_ text: String, prefix: String, signedWith keys: [SigningKey]) {
        let bytes = text.utf8
        guard bytes.count <= Self.longest, bytes.starts(with: prefix.utf8), let all = Base64.bytes(bytes.dropFirst(prefix.utf8.count), .url) else { return nil }
        guard all.count > SigningKey.signatureLength else { return nil }
        let payload = Array(all.dropLast(SigningKey.signatureLength))
        let signature = Array(all.suffix(SigningKey.signatureLength))
        guard keys.contains(where: { $0.signed(payload, as: signature) }) else { return nil }
        var rest = payload[...]
        guard rest.popFirst() == 1, let basis = Self.basis(&rest), let expires = Self.number(&rest) else { return nil }
        guard let name = String(validating: rest, as: UTF8.self).flatMap({ text in try? AccountName(text) }) else { return nil }  // a signed name is one
        self.name = name
        self.basis = basis
        self.expires = expires == .max ? nil : Timestamp(milliseconds: expires)
    }

    private static func basis(_ bytes: inout ArraySlice<UInt8>) -> Principal.Basis? {
        switch bytes.popFirst() {
        case 1:
            guard bytes.count >= 16 else { return nil }
            defer { bytes = bytes.dropFirst(16) }
            return .password(epoch: Array(bytes.prefix(16)))
        case 2: return Self.number(&bytes).map { .token(id: $0) }
        default: return nil
        }
    }

    private static func bytes(_ number: Int64) -> [UInt8] { stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> Int64($0)) } }

    private static func number(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
        guard bytes.count >= 8 else { return nil }
        defer { bytes = bytes.dropFirst(8) }
        return bytes.prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }
}
