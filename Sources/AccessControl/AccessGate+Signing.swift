public import ArtifactModel

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What this server gives people to show later.
extension AccessGate {
    /// What a renewal and a session say.
    private struct Bearer: Codable {
        var subject: String
        var epoch: String
        /// The token that it was asked for with; 0: none.
        var token: Int64
        /// In seconds since 1970; nil: as long as the password or the token is good.
        var expires: Int64?
    }

    static let renewalPrefix = "entrepotr_"
    static let sessionLife = Duration.seconds(12 * 3600)

    public func ticket(for principal: Principal, _ permits: [Permit], catalog: Bool, audience: String) async throws(AccessFailure) -> Ticket {
        let now = self.now()
        let issued = now.milliseconds / 1000
        let claims = TicketClaims(
            sub: principal.name, aud: audience, iat: issued, nbf: issued, exp: issued + TicketClaims.longestLife.components.seconds,
            jti: Base64.urlText(Randomness.bytes(12)),
            access: permits.map { TicketClaims.Entry(repository: $0.repository.text, path: $0.path, actions: $0.actions.map(\.rawValue)) },
            catalog: catalog && !principal.isAnonymous, epoch: try await self.epoch(of: principal), token: principal.tokenID)
        do {
            guard let text = try TicketText.text(claims, self.keyring) else { throw Self.notReady }
            return Ticket(text: text, issued: now, lifetime: TicketClaims.longestLife)
        } catch let failure as AccessFailure {
            throw failure
        } catch {
            throw AccessFailure(.unavailable, "the token cannot be made", cause: error)
        }
    }

    public func renewal(for principal: Principal) async throws(AccessFailure) -> String {
        try await Self.renewalPrefix + self.sealed(principal, .renewal, until: nil)
    }

    public func principal(renewing renewal: String, from client: String) async throws(AccessFailure) -> Principal {
        try await self.backingOff(BackOff.Pair(account: "", client: client), unless: { $0 != .wrong }) { () throws(AccessFailure) in
            guard renewal.hasPrefix(Self.renewalPrefix) else { throw Self.wrong }
            return try await self.opened(renewal.dropFirst(Self.renewalPrefix.utf8.count), .renewal)
        }
    }

    public func session(for principal: Principal) async throws(AccessFailure) -> String {
        try await self.sealed(principal, .session, until: self.now() + Self.sessionLife)
    }

    public func principal(inSession session: String) async throws(AccessFailure) -> Principal {
        let key = self.cache.key(3, session)
        if let known = self.cache.principal(key, now: self.elapsed) { return known }
        let epoch = self.cache.epoch
        var principal = try await self.opened(session[...], .session)
        principal.means = .session
        // A session's last minute may be a minute longer.
        self.cache.keep(principal, key, until: self.elapsed + CredentialCache.longest, since: epoch)
        return principal
    }

    private func sealed(_ principal: Principal, _ purpose: Keyring.Purpose, until: Timestamp?) async throws(AccessFailure) -> String {
        guard !principal.isAnonymous else { throw Self.wrong }
        let bearer = Bearer(
            subject: principal.name, epoch: try await self.epoch(of: principal), token: principal.tokenID, expires: until.map { $0.milliseconds / 1000 })
        let payload: Data
        do { payload = try JSONEncoder().encode(bearer) } catch { throw AccessFailure(.unavailable, "this cannot be signed", cause: error) }
        guard let text = SealedText.text(Array(payload), purpose, self.keyring) else { throw Self.notReady }
        return text
    }

    private func opened(_ text: Substring, _ purpose: Keyring.Purpose) async throws(AccessFailure) -> Principal {
        guard let payload = SealedText.payload(text, purpose, self.keyring),
            let bearer = try? JSONDecoder().decode(Bearer.self, from: Data(payload)), !bearer.subject.isEmpty  // signed by us, and by another version
        else { throw Self.wrong }
        if let expires = bearer.expires, self.now().milliseconds / 1000 >= expires { throw Self.ended }
        return try await self.holder(of: bearer.subject, epoch: bearer.epoch, token: bearer.token)
    }

    private func epoch(of principal: Principal) async throws(AccessFailure) -> String {
        guard !principal.isAnonymous else { return "" }
        guard let identity = try await self.identity(principal.name) else { throw Self.ended }
        return Base64.urlText(identity.epoch)
    }

    private static let notReady = AccessFailure(.unavailable, "the server has no signing key yet; try again", retryAfter: .seconds(1))
}

extension Principal {
    var tokenID: Int64 {
        if case .token(let id, _) = self.means { id } else { 0 }
    }
}
