import AccessControl
import ArtifactModel
import FormatAPI
import StorageAPI

/// Signing in to a repository in its clients' own words, and the tokens of who has.
struct AccountView: OwnAccount {
    /// How long somebody stays signed in.
    private static let lifetime = "90d"

    let service: ArtifactService
    let desk: any TokenDesk
    let repository: Repository
    let caller: Principal
    let request: IncomingRequest
    let audience: String
    let logins: Logins

    var name: String { self.caller.name }

    func signIn(_ name: String, password: String, for client: String) async throws -> String {
        let credentials = Credentials.basic(name: name, secret: password)
        let principal: Principal
        do {
            principal = try await self.service.gate.principal(for: credentials, from: self.request.client, audience: self.audience)
        } catch {
            var refusal = self.service.refusal(error, of: credentials, denied: [])
            refusal.claimedName = name
            throw refusal
        }
        guard self.service.mayKnow(self.repository, principal) else { throw FormatError(.notFound, Refusal.hidden) }
        self.logins.note(principal)
        // A token is a password that needs no other in its place, and a token that was found makes none.
        guard case .password = principal.basis else { return password }
        let suffix = String(UInt32.random(in: .min ... .max), radix: 36)
        return try await self.desk.makeToken("\(client)-sign-in-\(suffix)", for: principal.name, grants: [], lifetime: Self.lifetime).text
    }

    func tokens() async throws -> [AccountToken] {
        try await self.desk.tokens(ownedBy: self.caller.name).filter { $0.revoked == nil }.map { AccountToken($0) }
    }

    func makeToken(_ name: String, password: String, grants: [String]) async throws -> (text: String, token: AccountToken) {
        let credentials = Credentials.basic(name: self.caller.name, secret: password)
        let principal: Principal
        do {
            principal = try await self.service.gate.principal(for: credentials, from: self.request.client, audience: self.audience)
        } catch {
            throw self.service.refusal(error, of: credentials, denied: [])
        }
        guard case .password = principal.basis else {
            throw FormatError(.forbidden, "tokens are made by who knows the account's password, and not with another token")
        }
        let made = try await self.desk.makeToken(name, for: self.caller.name, grants: grants, lifetime: nil)
        return (made.text, AccountToken(made.token))
    }

    func revokeToken(_ id: Int64) async throws -> Bool {
        guard self.caller.limits == .none else { throw FormatError(.forbidden, "a token that is confined ends no others") }
        return try await self.desk.revokeToken(id, of: self.caller.name)
    }

    func revokeOwnToken(_ text: String) async throws -> Bool {
        guard request.credentials == .bearer(text), case .token(let id, _) = self.caller.means else { return false }
        return try await self.desk.revokeToken(id, of: self.caller.name)
    }
}

extension AccountToken {
    fileprivate init(_ record: TokenRecord) {
        self.init(id: record.id, name: record.name, grants: record.grants, created: record.created, expires: record.expires)
    }
}

extension ArtifactService {
    func account(of caller: Principal, in repository: Repository, _ route: Route, _ request: IncomingRequest, _ logins: Logins) -> (any OwnAccount)? {
        guard !self.gate.isOpen, let desk = self.desk else { return nil }
        return AccountView(
            service: self, desk: desk, repository: repository, caller: caller, request: request, audience: route.head.audience, logins: logins)
    }
}
