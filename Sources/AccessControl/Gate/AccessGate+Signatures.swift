public import ArtifactModel
import StorageAPI
import Synchronization

/// What this server signs itself: all of it hangs on a password or a token, and is dead with it.
extension AccessGate {
    static let renewalPrefix = "entrepotr_"
    static let sessionLifetime = Duration.seconds(12 * 3600)
    /// Of reading keys again because something is signed with none that is known.
    private static let keysInterval = Duration.seconds(1)

    // MARK: Tickets

    public func ticket(for principal: Principal, _ permits: [Permit], catalog: Bool, audience: String) async throws(AccessFailure) -> Ticket {
        let now = self.time.now()
        var name: AccountName?
        var end = now + TicketText.lifetime
        if !principal.isAnonymous {
            let identity = try await self.standing(principal)
            name = identity.name
            end = min(end, identity.expires ?? end)
        } else if principal.means == .ticket || principal.basis != .nothing {
            throw .wrong
        }
        let (issued, expires) = (now.milliseconds / 1000, end.milliseconds / 1000)
        let claims = TicketClaims(
            subject: name, basis: principal.basis, audience: audience, issued: issued, expires: expires, id: Base64.text(self.random(16), .url),
            permits: permits.compactMap { Self.confined($0, to: principal.limits) }, catalog: catalog && principal.limits == .none)
        guard let text = TicketText.sign(claims, with: self.keys.newest(.ticket)) else {
            throw AccessFailure(.tooLong, "too much is asked for at once: a ticket for it would be longer than \(TicketText.longest >> 10) KiB; ask for less")
        }
        return Ticket(text: text, issued: Timestamp(milliseconds: issued * 1000), lifetime: .seconds(expires - issued))
    }

    /// A ticket allows nothing that the credential it was asked for with does not. A list of everything is for who is confined to nothing.
    private static func confined(_ permit: Permit, to limits: Principal.Limits) -> Permit? {
        var permit = permit
        permit.actions = permit.actions.filter { limits.cover(Access($0, path: permit.path), of: permit.repository) }
        return permit.actions.isEmpty ? nil : permit
    }

    func openTicket(_ text: String, audience: String) async throws(AccessFailure) -> Verified {
        let claims = try await self.claims(of: text, audience: audience)
        let limits = Principal.Limits.permits(claims.permits, catalog: claims.catalog)
        let expires = Timestamp(milliseconds: claims.expires * 1000)
        guard let name = claims.subject else {
            // Without rights of its own it is told which scope it lacks: clients then ask their user to sign in.
            let roles = self.policy.anonymousRoles ?? []
            return Verified(principal: Principal(name: "", roles: roles, means: .ticket, limits: limits), expires: expires)
        }
        var identity = try await self.directory.identity(of: name, by: claims.basis, now: self.time.now())
        (identity.means, identity.limits) = (.ticket, limits)
        identity.expires = min(expires, identity.expires ?? expires)
        return self.verified(identity)
    }

    private func claims(of text: String, audience: String) async throws(AccessFailure) -> TicketClaims {
        let now = self.time.now()
        for isLast in [false, true] {
            do {
                return try TicketText.open(text, signedWith: self.keys.accepted(.ticket, now: now), audience: audience, now: now)
            } catch {
                switch error {
                case .expired: throw .expired
                case .early, .audience: throw AccessFailure(.revoked, "the token is for another address of this server, or for another time; sign in again")
                case .foreign:
                    // Another process may have made a key that is not known here yet.
                    guard !isLast, try await self.readKeys() else { throw .wrong }
                }
            }
        }
        throw .wrong
    }

    /// - Returns: false: that was done a moment ago.
    private func readKeys() async throws(AccessFailure) -> Bool {
        let now = self.time.uptime()
        let isDue = self.keysRead.withLock { last in
            if let last, now - last < Self.keysInterval { return false }
            last = now
            return true
        }
        guard isDue else { return false }
        do { try await self.keys.read(.ticket) } catch { throw AccessFailure(error) }
        return true
    }

    // MARK: Renewals and sessions

    public func renewal(for principal: Principal) async throws(AccessFailure) -> String {
        let identity = try await self.standing(principal)
        guard let text = SignedSubject(name: identity.name, basis: identity.basis).text(prefix: Self.renewalPrefix, signedWith: self.keys.newest(.renewal))
        else { throw .wrong }
        return text
    }

    public func principal(renewing renewal: String, from client: String) async throws(AccessFailure) -> Principal {
        let now = self.time.now()
        guard let subject = SignedSubject(renewal, prefix: Self.renewalPrefix, signedWith: self.keys.accepted(.renewal, now: now)) else {
            try self.noteFailure(BackOff.Pair(account: nil, client: ClientBlock(client)))
            throw .wrong
        }
        let principal = self.verified(try await self.directory.identity(of: subject.name, by: subject.basis, now: now)).principal
        self.noteUse(principal, from: client)
        return principal
    }

    public func session(for principal: Principal) async throws(AccessFailure) -> String {
        let identity = try await self.standing(principal)
        let subject = SignedSubject(name: identity.name, basis: identity.basis, expires: self.time.now() + Self.sessionLifetime)
        guard let text = subject.text(prefix: "", signedWith: self.keys.newest(.session)) else { throw .wrong }
        return text
    }

    public func principal(inSession session: String) async throws(AccessFailure) -> Principal {
        let key = self.cache.key("s", session, "")
        if let known = self.cache.principal(key, at: self.time.uptime()) { return known }
        let (now, drops) = (self.time.now(), self.cache.drops)
        guard let subject = SignedSubject(session, prefix: "", signedWith: self.keys.accepted(.session, now: now)), let end = subject.expires else {
            throw .wrong
        }
        guard end > now else { throw .expired }
        var identity = try await self.directory.identity(of: subject.name, by: subject.basis, now: now)
        identity.means = .session
        identity.expires = min(end, identity.expires ?? end)
        let verified = self.verified(identity)
        self.keep(verified, key, drops: drops)
        return verified.principal
    }

    /// Who the principal is now, by what it was known by: whoever knows an older password gets nothing that hangs on the new one.
    /// - Throws: `.wrong` for one that came by something signed, which would have no end then; `.revoked`, `.expired`.
    private func standing(_ principal: Principal) async throws(AccessFailure) -> Identity {
        guard principal.means != .ticket, principal.means != .session, principal.basis != .nothing, let name = AccountName(known: principal.name) else {
            throw .wrong
        }
        return try await self.directory.identity(of: name, by: principal.basis, now: self.time.now())
    }
}
