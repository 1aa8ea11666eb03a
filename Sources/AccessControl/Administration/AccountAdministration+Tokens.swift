import ArtifactModel
public import StorageAPI

extension AccountAdministration {
    private static let tokenPage = 500
    private static let mostGrants = 100

    /// - Parameters:
    ///   - grants: to which it is confined, of what its owner may do; empty: to nothing less.
    ///   - lifetime: nil: it does not expire.
    /// - Returns: its text, which is kept nowhere, and what is kept.
    public func makeToken(
        _ name: String, for owner: String, grants: [String], lifetime: Duration?, by creator: String
    ) async throws(AdministrationFailure) -> (text: String, token: TokenRecord) {
        guard AccountName(known: name) != nil else { throw AdministrationFailure(.invalid, "«\(name)» is not a token's name: \(AccountName.rule)") }
        try Self.check(grants)
        if let lifetime, lifetime < .seconds(1) { throw AdministrationFailure(.invalid, "a token lives for a second at least, such as 90d") }
        let text = TokenText(random: self.random)
        let now = self.now()
        let record = TokenRecord(
            owner: owner, name: name, hash: text.hash, grants: grants, created: now, createdBy: creator, expires: lifetime.map { now + $0 })
        // In turn, so that its owner is still there when it is made.
        return try await self.inTurn { () throws(AdministrationFailure) in
            guard try await self.isKnown(owner) else { throw Self.absent(owner) }
            guard let kept = try await self.asking({ () throws(MetadataError) in try await self.ledger.add(record) }) else {
                throw AdministrationFailure(.taken, "«\(owner)» has a token «\(name)»; revoke it first, or choose another name")
            }
            return (text.text, kept)
        }
    }

    /// By id, revoked and expired ones too.
    /// - Parameter owner: nil: everyone's.
    public func tokens(of owner: String? = nil) async throws(AdministrationFailure) -> [TokenRecord] {
        var all: [TokenRecord] = []
        while true {
            let last = all.last?.id ?? 0
            let page = try await self.asking { () throws(MetadataError) in try await self.ledger.tokens(of: owner, after: last, limit: Self.tokenPage) }
            all += page
            if page.count < Self.tokenPage { return all }
        }
    }

    /// - Parameter owner: whose it must be; nil: anyone's.
    /// - Returns: what it was.
    public func revoke(token id: Int64, of owner: String? = nil) async throws(AdministrationFailure) -> TokenRecord {
        let token = try await self.asking { () throws(MetadataError) in try await self.ledger.token(id: id) }
        guard var token, owner.map({ ByteText.equal($0, token.owner) }) ?? true else { throw Self.noToken(id) }
        let now = self.now()
        let isRevoked = try await self.asking { () throws(MetadataError) in try await self.ledger.revoke(token: id, at: now) }
        self.gate?.forget(token: id)
        guard isRevoked else { throw Self.noToken(id) }
        token.revoked = now
        return token
    }

    private static func noToken(_ id: Int64) -> AdministrationFailure { AdministrationFailure(.absent, "there is no token \(id) that could be revoked") }

    private static func check(_ grants: [String]) throws(AdministrationFailure) {
        guard grants.count <= Self.mostGrants else { throw AdministrationFailure(.invalid, "a token is confined to \(Self.mostGrants) grants at most") }
        for text in grants {
            do { _ = try Grant(text) } catch { throw AdministrationFailure(.invalid, "\(error)") }
        }
    }

    private func isKnown(_ owner: String) async throws(AdministrationFailure) -> Bool {
        guard let name = AccountName(known: owner) else { return false }
        if self.isFixed(name) { return true }
        return try await self.asking { () throws(MetadataError) in try await self.ledger.account(owner) } != nil
    }
}
