import ArtifactModel
import Synchronization

extension AccessGate {
    /// Right or wrong for an unknown name: what it costs is what counts.
    private static let dummy = PasswordHash(cost: .standard, salt: Array(repeating: 0, count: 16), hash: Array(repeating: 0, count: 32))

    func verify(_ credentials: Credentials, from client: String, audience: String) async throws(AccessFailure) -> Verified {
        switch credentials {
        case .none, .unreadable: throw .wrong
        case .basic(let name, let secret) where TokenAuthenticator.isMeant(secret):
            return try await self.verifyFree(name, from: client) { () throws(AccessFailure) in try await self.ask(credentials, from: client) }
        case .basic(let name, let secret): return try await self.verifyPassword(name, secret, from: client)
        case .bearer(let text):
            return try await self.verifyFree(nil, from: client) { () throws(AccessFailure) in
                if let known = try await self.ask(credentials, from: client) { return known }
                return try await self.openTicket(text, audience: audience)
            }
        }
    }

    /// Tokens and what is signed cannot be guessed and cost no hash: one that is right is never made to wait, or who shares an address with a broken
    /// client would be shut out by it. One that is unknown is a failure, and has to wait like any other.
    private func verifyFree(
        _ name: String?, from client: String, _ verify: () async throws(AccessFailure) -> Verified?
    ) async throws(AccessFailure) -> Verified {
        do throws(AccessFailure) {
            guard let verified = try await verify() else { throw AccessFailure.wrong }
            return verified
        } catch {
            if error.code == .wrong { try self.noteFailure(BackOff.Pair(account: name.flatMap { AccountName(known: $0) }, client: ClientBlock(client))) }
            throw error
        }
    }

    /// - Throws: `.throttled` where the pair had to wait, which is no further failure then.
    func noteFailure(_ pair: BackOff.Pair) throws(AccessFailure) {
        let now = self.time.uptime()
        let wait = self.backOff.withLock { backOff in
            let wait = backOff.hold(on: pair, at: now)
            if wait == nil { backOff.noteFailure(pair, at: now) }
            return wait
        }
        if let wait { throw .throttled(wait) }
    }

    private func verifyPassword(_ name: String, _ password: String, from client: String) async throws(AccessFailure) -> Verified {
        let account = AccountName(known: name)
        let pair = BackOff.Pair(account: account, client: ClientBlock(client))
        let begun = self.time.uptime()
        if let wait = self.backOff.withLock({ $0.attempt(pair, at: begun) }) { throw .throttled(wait) }
        do throws(AccessFailure) {
            // What can be no name or no password is known to be none by everyone: it costs nothing.
            guard account != nil, (1...PasswordRule.longest).contains(password.utf8.count) else { throw AccessFailure.wrong }
            if let verified = try await self.ask(.basic(name: name, secret: password), from: client) {
                let now = self.time.uptime()
                self.backOff.withLock { $0.succeeded(pair, at: now) }
                return verified
            }
            _ = try await self.hasher.matches(password, Self.dummy)
            throw AccessFailure.wrong
        } catch {
            let now = self.time.uptime()
            self.backOff.withLock { if error.code == .wrong { $0.failed(pair, at: now) } else { $0.abandoned(pair) } }
            throw error
        }
    }

    /// - Returns: nil: no authenticator knows.
    private func ask(_ credentials: Credentials, from client: String) async throws(AccessFailure) -> Verified? {
        for authenticator in self.authenticators {
            if let identity = try await authenticator.authenticate(credentials, from: client) { return self.verified(identity) }
        }
        return nil
    }
}
