import ArtifactModel
import StorageAPI
import Testing

@testable import AccessControl

@Suite("Tokens, tickets, renewals and sessions at the gate")
struct SignatureTests {
    private static var permit: Permit {
        get throws { Permit(repository: try RepositoryName("local"), path: "acme/app", actions: [.read, .write]) }
    }

    /// What a credential is, and how it ends.
    private func dies(_ f: AccessFixture, as code: AccessFailure.Code, line: SourceLocation = #_sourceLocation, _ ask: () async throws -> Void) async {
        let failure = await f.failure(ask)
        #expect(failure == code, sourceLocation: line)
    }

    @Test("a token is its owner, with what the owner may do and no more than its grants, as a bearer and in place of a password")
    func tokens() async throws {
        try await withAccess { f in
            try await f.addAnn()
            let (text, token) = try await f.token(grants: ["read:local:acme/**"])
            let expected = Principal(
                name: "ann", roles: ["deployer", "reader"], means: .token(id: token.id, name: "ci"), limits: .grants([try Grant("read:local:acme/**")]),
                basis: .token(id: token.id))
            #expect(try await f.principal(.bearer(text)) == expected)
            #expect(try await f.basic("ann", text) == expected)
            #expect(try await f.basic("token", text) == expected)
            await self.dies(f, as: .wrong) { _ = try await f.basic("eve", text) }
            #expect(f.hashes.compared.isEmpty)
            #expect(try await f.principal(.bearer(try await f.token("all").text)).limits == .none)
            #expect(try await f.principal(.bearer(try await f.token("cd", of: "eve").text)).name == "eve")
        }
    }

    @Test("a token ends when it is revoked, at its time to the moment, and with its owner, remembered or not")
    func tokenEnds() async throws {
        try await withAccess { f in
            try await f.addAnn()
            let (text, token) = try await f.token(lifetime: .seconds(30))
            _ = try await f.principal(.bearer(text))
            f.time.advance(by: .milliseconds(29_999))
            _ = try await f.principal(.bearer(text))
            f.time.advance(by: .milliseconds(1))
            await self.dies(f, as: .expired) { _ = try await f.principal(.bearer(text)) }
            #expect(!token.counts(at: f.time.now))

            let revoked = try await f.token("two")
            _ = try await f.principal(.bearer(revoked.text))
            _ = try await f.administration.revoke(token: revoked.token.id)
            await self.dies(f, as: .revoked) { _ = try await f.principal(.bearer(revoked.text)) }

            let orphan = try await f.token("three")
            _ = try await f.principal(.bearer(orphan.text))
            _ = try await f.administration.remove("ann")
            await self.dies(f, as: .wrong) { _ = try await f.principal(.bearer(orphan.text)) }
        }
    }

    @Test("what another process changes counts here within a minute")
    func otherProcess() async throws {
        try await withAccess { f in
            try await f.addAnn()
            let other = try await f.another()
            let (text, token) = try await f.token()
            func ask() async throws { _ = try await other.principal(for: .bearer(text), from: "192.0.2.1", audience: "") }
            try await ask()
            _ = try await f.administration.revoke(token: token.id)
            try await ask()
            f.time.advance(by: .seconds(60))
            await self.dies(f, as: .revoked) { try await ask() }
        }
    }

    @Test("a grant that cannot be read makes a token useless, and not one without limits")
    func strangeGrant() async throws {
        try await withAccess { f in
            try await f.addAnn()
            let text = TokenText(random: SystemRandomNumberGenerator.bytes)
            _ = try await f.ledger.add(
                TokenRecord(owner: "ann", name: "x", hash: text.hash, grants: ["fly:*"], created: f.time.now, createdBy: "later version", expires: nil))
            await self.dies(f, as: .unavailable) { _ = try await f.principal(.bearer(text.text)) }
        }
    }

    @Test("a ticket is its holder for five minutes, for what it permits and at the root that it was made for; also after the minute that it is remembered")
    func tickets() async throws {
        try await withAccess { f in
            try await f.addAnn()
            let ticket = try await f.gate.ticket(for: try await f.basic("ann"), [Self.permit], catalog: true, audience: AccessFixture.audience)
            #expect(ticket.lifetime == .seconds(300) && ticket.issued == f.time.now)
            let holder = try await f.principal(.bearer(ticket.text))
            #expect(holder.name == "ann" && holder.means == .ticket && holder.roles == ["deployer", "reader"])
            #expect(try holder.limits == .permits([Self.permit], catalog: true))
            await self.dies(f, as: .revoked) { _ = try await f.principal(.bearer(ticket.text), audience: "http://other") }
            for _ in 0..<4 {
                f.time.advance(by: .seconds(74))
                #expect(try await f.principal(.bearer(ticket.text)) == holder)
            }
            f.time.advance(by: .seconds(9))
            await self.dies(f, as: .expired) { _ = try await f.principal(.bearer(ticket.text)) }
        }
    }

    @Test("nobody in particular may have a ticket, which gives nothing where anonymous access is not allowed")
    func anonymousTicket() async throws {
        var policy = try AccessFixture.policy()
        policy.anonymousRoles = ["public"]
        try await withAccess(policy) { f in
            let ticket = try await f.gate.ticket(for: f.gate.anonymous, [Self.permit], catalog: false, audience: AccessFixture.audience)
            let holder = try await f.principal(.bearer(ticket.text))
            #expect(try holder.isAnonymous && holder.roles == ["public"] && holder.limits == .permits([Self.permit], catalog: false))
            let closed = try await AccessGate.open(
                try AccessFixture.policy(), ledger: f.ledger, hasher: f.hasher, time: f.time.access)
            let nobody = try await closed.principal(for: .bearer(ticket.text), from: "x", audience: AccessFixture.audience)
            #expect(nobody.isAnonymous && nobody.roles.isEmpty && nobody.means == .ticket)
        }
    }

    @Test("a ticket made with a token permits no more than the token, and ends with it")
    func ticketOfToken() async throws {
        try await withAccess { f in
            try await f.addAnn()
            let (text, token) = try await f.token(grants: ["read:local:acme/**"], lifetime: .seconds(100))
            let other = Permit(repository: try RepositoryName("other"), path: "acme/app", actions: [.read])
            let ticket = try await f.gate.ticket(
                for: try await f.principal(.bearer(text)), [Self.permit, other], catalog: true, audience: AccessFixture.audience)
            #expect(ticket.lifetime == .seconds(100))
            let holder = try await f.principal(.bearer(ticket.text))
            #expect(try holder.limits == .permits([Permit(repository: Self.permit.repository, path: "acme/app", actions: [.read])], catalog: false))
            _ = try await f.administration.revoke(token: token.id)
            await self.dies(f, as: .revoked) { _ = try await f.principal(.bearer(ticket.text)) }
        }
    }

    @Test("tickets, renewals and sessions are dead with a new password and with the user, remembered or not, and roles follow the user's")
    func deaths() async throws {
        for change in ["password", "removal", "removal and return"] {
            try await withAccess { f in
                try await f.addAnn()
                let ann = try await f.basic("ann")
                let ticket = try await f.gate.ticket(for: ann, [Self.permit], catalog: false, audience: AccessFixture.audience).text
                let renewal = try await f.gate.renewal(for: ann)
                let session = try await f.gate.session(for: ann)
                func all() -> [() async throws -> Principal] {
                    [
                        { try await f.principal(.bearer(ticket)) }, { try await f.gate.principal(renewing: renewal, from: "192.0.2.1") },
                        { try await f.gate.principal(inSession: session) },
                    ]
                }
                _ = try await f.administration.setRoles([], of: "ann")
                for ask in all() { #expect(try await ask().roles == ["reader", "deployer"]) }
                switch change {
                case "password": _ = try await f.administration.setPassword(.given(AccessFixture.password), of: "ann")
                case "removal": _ = try await f.administration.remove("ann")
                default:
                    _ = try await f.administration.remove("ann")
                    try await f.addAnn()
                }
                for ask in all() { await self.dies(f, as: .revoked) { _ = try await ask() } }
            }
        }
    }

    @Test("a renewal is used again and again, is who it was made for by the same means, and ends with the token it was made with")
    func renewals() async throws {
        try await withAccess { f in
            try await f.addAnn()
            let renewal = try await f.gate.renewal(for: try await f.basic("ann"))
            #expect(renewal.hasPrefix("entrepotr_"))
            f.time.advance(by: .seconds(400 * 86_400))
            let gate = try await f.another()
            for _ in 0..<3 { #expect(try await gate.principal(renewing: renewal, from: "192.0.2.1") == f.basic("ann")) }
            await self.dies(f, as: .wrong) { _ = try await f.principal(.bearer(renewal)) }
            await self.dies(f, as: .wrong) { _ = try await f.gate.principal(renewing: renewal + "A", from: "192.0.2.1") }
            await self.dies(f, as: .wrong) { _ = try await f.gate.principal(inSession: renewal) }

            let (text, token) = try await f.token(grants: ["read:local"])
            let holder = try await f.principal(.bearer(text))
            let other = try await f.gate.renewal(for: holder)
            #expect(try await f.gate.principal(renewing: other, from: "192.0.2.1") == holder)
            _ = try await f.administration.revoke(token: token.id)
            await self.dies(f, as: .revoked) { _ = try await f.gate.principal(renewing: other, from: "192.0.2.1") }
        }
    }

    @Test("a session ends after twelve hours")
    func sessions() async throws {
        try await withAccess { f in
            let session = try await f.gate.session(for: try await f.basic("eve"))
            #expect(try await f.gate.principal(inSession: session).means == .session)
            f.time.advance(by: .seconds(12 * 3600 - 1))
            #expect(try await f.gate.principal(inSession: session).name == "eve")
            f.time.advance(by: .seconds(1))
            await self.dies(f, as: .expired) { _ = try await f.gate.principal(inSession: session) }
        }
    }

    @Test("nothing signed gives anything signed, and neither does nobody nor the socket")
    func noChains() async throws {
        try await withAccess { f in
            let eve = try await f.basic("eve")
            let ticket = try await f.gate.ticket(for: eve, [Self.permit], catalog: false, audience: AccessFixture.audience)
            let signed = [try await f.principal(.bearer(ticket.text)), try await f.gate.principal(inSession: try await f.gate.session(for: eve))]
            for principal in signed + [Principal(name: "eve", roles: [], means: .socket)] {
                await self.dies(f, as: .wrong) { _ = try await f.gate.ticket(for: principal, [], catalog: false, audience: "") }
                await self.dies(f, as: .wrong) { _ = try await f.gate.renewal(for: principal) }
                await self.dies(f, as: .wrong) { _ = try await f.gate.session(for: principal) }
            }
            await self.dies(f, as: .wrong) { _ = try await f.gate.renewal(for: f.gate.anonymous) }
            await self.dies(f, as: .wrong) { _ = try await f.gate.session(for: f.gate.anonymous) }
        }
    }

    @Test("who knows an older password gets nothing that hangs on the new one")
    func olderPassword() async throws {
        try await withAccess { f in
            try await f.addAnn()
            let other = try await f.another()
            let before = try await other.principal(for: .basic(name: "ann", secret: AccessFixture.password), from: "x", audience: "")
            _ = try await f.administration.setPassword(.given("another horse"), of: "ann")
            // The other process still takes the password; it signs nothing for it.
            #expect(try await other.principal(for: .basic(name: "ann", secret: AccessFixture.password), from: "x", audience: "") == before)
            await self.dies(f, as: .revoked) { _ = try await other.renewal(for: before) }
            await self.dies(f, as: .revoked) { _ = try await other.ticket(for: before, [], catalog: false, audience: "") }
        }
    }

    @Test("after thirty days tickets are signed with a new key; the older one counts for an hour, in another process too")
    func rotation() async throws {
        try await withAccess { f in
            let eve = try await f.basic("eve")
            let other = try await f.another()
            f.time.advance(by: .seconds(30 * 86_400 - 1))
            #expect(try await f.gate.keys.renew(now: f.time.now) == [])
            let old = f.gate.keys.newest(.ticket).id
            let before = try await f.gate.ticket(for: eve, [Self.permit], catalog: false, audience: AccessFixture.audience)
            f.time.advance(by: .seconds(1))
            #expect(try await f.gate.keys.renew(now: f.time.now) == [.ticket, .session])
            #expect(f.gate.keys.newest(.ticket).id != old && f.gate.keys.newest(.renewal).id == other.keys.newest(.renewal).id)
            let after = try await f.gate.ticket(for: eve, [Self.permit], catalog: false, audience: AccessFixture.audience)
            for gate in [f.gate, other] {
                for ticket in [before, after] {
                    #expect(try await gate.principal(for: .bearer(ticket.text), from: "x", audience: AccessFixture.audience).name == "eve")
                }
            }
            #expect(try await other.keys.renew(now: f.time.now) == [])
            f.time.advance(by: .seconds(3599))
            #expect(f.gate.keys.accepted(.ticket, now: f.time.now).count == 2)
            f.time.advance(by: .seconds(1))
            #expect(f.gate.keys.accepted(.ticket, now: f.time.now).map(\.id) == [f.gate.keys.newest(.ticket).id])
            f.time.advance(by: .seconds(31 * 86_400))
            _ = try await f.gate.keys.renew(now: f.time.now)
            #expect(try await f.ledger.keys(for: "ticket").count == 2)
        }
    }

    @Test("of processes that start together one makes the keys, and all have the same")
    func together() async throws {
        try await withAccess { f in
            f.time.advance(by: .seconds(40 * 86_400))
            let gates = try await withThrowingTaskGroup(of: AccessGate.self) { group in
                for _ in 0..<6 { group.addTask { try await f.another() } }
                return try await group.reduce(into: [AccessGate]()) { $0.append($1) }
            }
            for purpose in KeyRing.Purpose.allCases { #expect(Set(gates.map { $0.keys.newest(purpose).id }).count == 1) }
        }
    }

    @Test("a token's use is noted at most once a minute, and written when it is flushed; what could not be written is written later")
    func uses() async throws {
        try await withAccess { f in
            try await f.addAnn()
            let (text, token) = try await f.token()
            func noted() async throws -> TokenRecord? { try await f.ledger.token(id: token.id) }
            _ = try await f.principal(.bearer(text), from: "192.0.2.7")
            f.time.advance(by: .seconds(30))
            _ = try await f.principal(.bearer(text), from: "192.0.2.8")
            #expect(try await noted()?.lastUsed == nil)
            f.ledger.fail(write: 1)
            await #expect(throws: MetadataError.self) { try await f.gate.uses.flush(to: f.ledger, now: f.time.now) }
            try await f.gate.uses.flush(to: f.ledger, now: f.time.now)
            #expect(try await noted()?.lastUsed == f.time.now - .seconds(30))
            #expect(try await noted()?.lastAddress == "192.0.2.7")
            f.time.advance(by: .seconds(30))
            _ = try await f.principal(.bearer(text), from: "192.0.2.9")
            try await f.gate.uses.flush(to: f.ledger, now: f.time.now)
            #expect(try await noted()?.lastAddress == "192.0.2.9")
        }
    }
}
