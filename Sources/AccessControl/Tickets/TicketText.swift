import ArtifactModel

/// A ticket as a compact JWS with HS256 (RFC 7515, 7.1): `header.claims.signature`.
enum TicketText {
    /// In bytes; longer ones are neither made nor read.
    static let longest = 16 << 10
    static let lifetime = Duration.seconds(300)
    /// How far the clocks of several nodes may differ, in seconds.
    private static let leeway: Int64 = 5

    enum Fault: Error, Hashable, Sendable {
        /// It is no ticket, or none that one of these keys has signed as it stands.
        case foreign
        /// It is for another root of this server.
        case audience
        case early
        case expired
    }

    /// - Returns: nil: it would be too long.
    static func sign(_ claims: TicketClaims, with key: SigningKey) -> String? {
        let header = "{\"alg\":\"HS256\",\"kid\":\(StrictJSON.quoted(key.id)),\"typ\":\"JWT\"}"
        let head = Base64.text(header.utf8, .url) + "." + Base64.text(claims.json.utf8, .url)
        let text = head + "." + Base64.text(key.signature(of: Array(head.utf8)), .url)
        return text.utf8.count <= Self.longest ? text : nil
    }

    /// Nothing in it is read before a key of ours is known to have signed it, in constant time; then the header may say what `sign` says and no more.
    static func open(_ text: String, signedWith keys: [SigningKey], audience: String, now: Timestamp) throws(Fault) -> TicketClaims {
        guard text.utf8.count <= Self.longest else { throw .foreign }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let signature = Base64.bytes(parts[2], .url), signature.count == SigningKey.signatureLength else { throw .foreign }
        let signed = Array(text.utf8.prefix(parts[0].count + 1 + parts[1].count))
        guard let key = keys.first(where: { $0.signed(signed, as: signature) }) else { throw .foreign }
        guard let header = Base64.bytes(parts[0], .url).flatMap({ StrictJSON($0) }), Self.isOurs(header, key) else { throw .foreign }
        guard let claims = Base64.bytes(parts[1], .url).flatMap({ StrictJSON($0) }).flatMap({ TicketClaims($0) }) else { throw .foreign }
        try Self.check(claims, audience, now: now)
        return claims
    }

    private static func isOurs(_ header: StrictJSON, _ key: SigningKey) -> Bool {
        header == .object(["alg": .string("HS256"), "kid": .string(key.id), "typ": .string("JWT")])
    }

    private static func check(_ claims: TicketClaims, _ audience: String, now: Timestamp) throws(Fault) {
        let (seconds, lifetime) = (now.milliseconds / 1000, claims.expires.subtractingReportingOverflow(claims.issued))
        guard !lifetime.overflow, (0...Self.lifetime.components.seconds).contains(lifetime.partialValue) else { throw .foreign }
        guard ByteText.equal(claims.audience, audience) else { throw .audience }
        guard claims.issued <= seconds + Self.leeway else { throw .early }
        guard seconds - Self.leeway < claims.expires else { throw .expired }
    }
}
