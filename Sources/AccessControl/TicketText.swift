import ArtifactModel
import Crypto

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What a ticket says. A JSON Web Token (RFC 7519) with the claims that docker's clients look at, and our own words for rights.
struct TicketClaims: Codable, Hashable, Sendable {
    struct Entry: Codable, Hashable, Sendable {
        var repository: String
        var path: String
        var actions: [String]
    }
    static let issuer = "entrepot"
    static let longestLife = Duration.seconds(300)
    /// Clocks of several nodes.
    static let leeway: Int64 = 5

    var iss = Self.issuer
    /// Empty: nobody in particular.
    var sub: String
    var aud: String
    /// In seconds since 1970.
    var iat: Int64
    var nbf: Int64
    var exp: Int64
    var jti: String
    var access: [Entry]
    var catalog: Bool
    /// Of the subject's password.
    var epoch: String
    /// The token that it was asked for with; 0: none.
    var token: Int64

    var permits: [Permit] {
        self.access.compactMap { entry in
            guard let name = try? RepositoryName(entry.repository) else { return nil }  // not of our writing
            return Permit(repository: name, path: entry.path, actions: entry.actions.compactMap(Action.init(rawValue:)))
        }
    }

    /// Whether it is for this root, and its time is now.
    func counts(for audience: String, at now: Timestamp) -> Bool {
        let seconds = now.milliseconds / 1000
        return self.iss == Self.issuer && self.aud == audience && self.nbf <= seconds + Self.leeway && self.iat <= seconds + Self.leeway
            && seconds < self.exp && self.exp - self.iat <= Self.longestLife.components.seconds
    }
}

/// A ticket's text: RFC 7515's compact form, HS256 and nothing else.
enum TicketText {
    static let longest = 16 << 10

    private struct Header: Codable {
        var alg: String
        var kid: String
        var typ: String?
    }

    static func text(_ claims: TicketClaims, _ keyring: Keyring) throws -> String? {
        guard let (id, key) = keyring.signing(.ticket) else { return nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let head = try encoder.encode(Header(alg: "HS256", kid: id, typ: "JWT"))
        let body = "\(Base64.urlText(head)).\(Base64.urlText(try encoder.encode(claims)))"
        return "\(body).\(Base64.urlText(HMAC<SHA256>.authenticationCode(for: Array(body.utf8), using: key)))"
    }

    /// nil: not signed by us, or no claims. What the header says beside the key's name is not believed: the algorithm is ours.
    static func claims(_ text: String, _ keyring: Keyring) -> TicketClaims? {
        guard text.utf8.count <= Self.longest else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Base64.urlBytes(parts[0]), let code = Base64.urlBytes(parts[2]),
            let header = try? JSONDecoder().decode(Header.self, from: Data(head)),  // no header of ours
            header.alg == "HS256", header.typ == nil || header.typ == "JWT", let key = keyring.believed(header.kid[...], .ticket),
            HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Array(text.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count)), using: key),
            let payload = Base64.urlBytes(parts[1])
        else { return nil }
        return try? JSONDecoder().decode(TicketClaims.self, from: Data(payload))  // signed by us, and by another version
    }
}
