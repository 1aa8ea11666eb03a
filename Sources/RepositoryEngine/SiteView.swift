import AccessControl
import ArtifactModel
import FormatAPI

/// A root as one request sees it: all repositories of one format that the caller may see something of.
struct SiteView: Site {
    let service: ArtifactService
    let format: String
    let caller: Principal
    let request: IncomingRequest
    let audience: String
    let isMirror: Bool
    let logins: Logins

    var principal: String { self.caller.name }
    var asksToSignIn: Bool { !self.service.gate.isOpen && !self.isMirror }

    var maySeeLists: Bool {
        if case .permits(_, catalog: false) = self.caller.limits { false } else { true }
    }

    /// Lists are read with all the rights of whom they were signed for.
    private var reader: Principal { self.maySeeLists && self.caller.means == .ticket ? self.caller.unlimited : self.caller }

    func readable() async throws -> [RepositoryName] {
        self.service.catalogue.repositories.values.filter { $0.format == self.format && self.mayRead($0) }.map(\.name).sorted()
    }

    func content(of repository: RepositoryName) async throws -> (any RepositoryContent)? {
        guard let repository = self.service.catalogue.repositories[repository], repository.format == self.format, self.mayRead(repository) else { return nil }
        let content = self.service.contents.content(
            of: repository, for: self.reader, request: self.request.id, in: self.service.catalogue, self.service.authorizer)
        return PartlySeen.around(content, of: repository, by: self.reader, self.service.authorizer)
    }

    private func mayRead(_ repository: Repository) -> Bool {
        self.service.authorizer.refused([.some(.read, below: "")], of: repository.name, by: self.reader).isEmpty
    }

    func destination(of path: [String]) -> (repository: RepositoryName, path: [String])? {
        self.service.catalogue.destination(of: path, asIn: self.request)
    }

    func allowed(_ permit: Permit) -> [Action] {
        guard let repository = self.service.catalogue.repositories[permit.repository] else { return [] }
        let target = self.service.catalogue.target(of: repository) ?? repository
        return permit.actions.filter { action in
            let place = action == .read ? repository.name : target.name
            return self.service.authorizer.refused([Access(action, path: permit.path)], of: place, by: self.caller).isEmpty
        }
    }

    /// What is written through a group is a right on the member that takes it: both go into the ticket.
    func ticket(_ permits: [Permit], catalog: Bool) async throws -> Ticket {
        var all = permits
        for permit in permits {
            guard let repository = self.service.catalogue.repositories[permit.repository], let target = self.service.catalogue.target(of: repository),
                target.name != repository.name
            else { continue }
            all.append(Permit(repository: target.name, path: permit.path, actions: permit.actions.filter { $0 != .read }))
        }
        // Nobody in particular has exchanged nothing.
        if !self.caller.isAnonymous { self.logins.note(self.caller) }
        do {
            return try await self.service.gate.ticket(for: self.caller, all, catalog: catalog, audience: self.audience)
        } catch {
            throw FormatError(error)
        }
    }

    func renewal() async throws -> String {
        try await self.asking { gate throws(AccessFailure) in try await gate.renewal(for: self.caller) }
    }

    func signedIn(_ name: String, secret: String) async throws -> any Site {
        try await self.signedIn(.basic(name: name, secret: secret)) { gate throws(AccessFailure) in
            try await gate.principal(for: .basic(name: name, secret: secret), from: self.request.client, audience: self.audience)
        }
    }

    func signedIn(renewal: String) async throws -> any Site {
        try await self.signedIn(.bearer(renewal)) { gate throws(AccessFailure) in try await gate.principal(renewing: renewal, from: self.request.client) }
    }

    private func signedIn(_ credentials: Credentials, _ ask: (any Gatekeeper) async throws(AccessFailure) -> Principal) async throws -> SiteView {
        // Where nobody signs in, whoever does is nobody in particular.
        guard !self.service.gate.isOpen, !self.isMirror else { return self.seen(by: self.service.gate.anonymous) }
        do {
            return self.seen(by: try await ask(self.service.gate))
        } catch {
            var refusal = self.service.refusal(error, of: credentials, denied: [])
            refusal.failure.challenge = .none
            if case .basic(let name, _) = credentials { refusal.claimedName = name }
            throw refusal
        }
    }

    private func seen(by principal: Principal) -> SiteView {
        SiteView(
            service: self.service, format: self.format, caller: principal, request: self.request, audience: self.audience, isMirror: self.isMirror,
            logins: self.logins)
    }

    private func asking<Answer>(_ ask: (any Gatekeeper) async throws(AccessFailure) -> Answer) async throws -> Answer {
        do { return try await ask(self.service.gate) } catch { throw FormatError(error) }
    }
}
