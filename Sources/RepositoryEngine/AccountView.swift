import AccessControl
import ArtifactModel
import FormatAPI
import HTTPTypes
import StorageAPI

/// Signing in to a repository in its clients' own words, and the tokens of who has.
struct AccountView: OwnAccount {
    /// How long somebody stays signed in.
    private static let lifetime = "90d"

    let service: ArtifactService
    let desk: any TokenDesk
    /// nil: there is none at the address.
    let repository: Repository?
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
        guard let repository = self.repository, self.service.mayKnow(repository, principal) else { throw FormatError(.notFound, Refusal.hidden) }
        self.logins.note(principal)
        // A token is a password that needs no other in its place, and a token that was found makes none.
        guard case .password = principal.basis else { return password }
        let suffix = String(UInt32.random(in: .min ... .max), radix: 36)
        let made = try await self.desk.makeToken("\(client)-sign-in-\(suffix)", for: principal.name, grants: [], lifetime: Self.lifetime)
        self.logins.note(change: "made token \(made.token.id) «\(made.token.name)»")
        return made.text
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
        self.logins.note(change: "made token \(made.token.id) «\(made.token.name)»")
        return (made.text, AccountToken(made.token))
    }

    func revokeToken(_ id: Int64) async throws -> Bool {
        guard self.caller.limits == .none else { throw FormatError(.forbidden, "a token that is confined ends no others") }
        return try await self.revoke(id)
    }

    func revokeOwnToken(_ text: String) async throws -> Bool {
        guard self.request.credentials == .bearer(text), case .token(let id, _) = self.caller.means else { return false }
        return try await self.revoke(id)
    }

    private func revoke(_ id: Int64) async throws -> Bool {
        guard try await self.desk.revokeToken(id, of: self.caller.name) else { return false }
        self.logins.note(change: "revoked token \(id)")
        return true
    }
}

extension AccountToken {
    fileprivate init(_ record: TokenRecord) {
        self.init(id: record.id, name: record.name, grants: record.grants, created: record.created, expires: record.expires)
    }
}

extension ArtifactService {
    func account(of caller: Principal, in repository: Repository?, _ route: Route, _ request: IncomingRequest, _ logins: Logins) -> (any OwnAccount)? {
        guard !self.gate.isOpen, let desk = self.desk else { return nil }
        return AccountView(
            service: self, desk: desk, repository: repository, caller: caller, request: request, audience: route.head.audience, logins: logins)
    }
}

extension ArtifactService {
    /// Of who has no credentials yet. A repository that is not there, or that is not for who signs in, is told from one that is by nobody who knows no password.
    func respond(toSignIn route: Route, _ request: IncomingRequest, _ asker: Asker, of repository: Repository?) async -> RequestOutcome {
        var outcome = RequestOutcome(ArtifactResponse(.ok))
        let logins = Logins()
        do {
            outcome.principal = try self.caller(asker, request, route)
            let operation = try route.format.prepare(route.head)
            outcome.note(operation)
            let account = self.account(of: outcome.principal, in: repository, route, request, logins)
            let context = RequestContext(
                repository: try RepositoryName(request.target.path[1]), principal: "", requestID: request.id, compute: self.contents.compute, account: account)
            outcome.response = try await operation.respond(
                ArtifactRequest(head: route.head, body: request.body), in: AbsentContent(context: context), settings: NoSettings())
        } catch let refusal as Refusal {
            self.refuse(&outcome, refusal, route)
        } catch is InvalidName {
            self.refuse(&outcome, self.denial(of: [], to: outcome.principal, false), route)
        } catch {
            self.fail(&outcome, with: error, route)
        }
        outcome.note(logins)
        if logins.last != nil { outcome.repository = repository?.name }
        return outcome
    }
}

/// A repository that is not there.
struct AbsentContent: RepositoryContent {
    let context: RequestContext
    private var absence: FormatError { FormatError(.notFound, Refusal.hidden) }

    func content(_ want: ContentRequest) async throws -> Content? { nil }
    func resolve(_ want: PointerRequest) async throws -> Pointer? { nil }
    func document<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> Content? { nil }
    func outlines<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> Gathered<Outline>? { nil }
    func entry<Document: DerivedDocument>(
        _ type: Document.Type, _ key: Document.Key, section: String, name: String
    ) async throws -> DocumentEntry? { nil }
    func list(_ query: ContentQuery) async throws -> ContentPage { ContentPage(rows: [], more: false) }
    func stage(_ body: ByteStream, _ demand: StageDemand) async throws -> StagedBlob { throw self.absence }
    func uploads(in scope: String) -> any UploadSessions { NoUploads(error: self.absence) }
    func commit(_ edit: Edit) async throws { throw self.absence }
}
