public import AccessControl
import ArtifactModel
public import FormatAPI
import HTTPTypes

/// A request that is refused for who sends it, or for where it leads.
struct Refusal: Error {
    var failure: Failure
    /// What decided, for the audit trail.
    var rule: String
    var isLogin = false
    /// Whom wrong credentials were for, where they were not in `Authorization`.
    var claimedName = ""

    init(_ error: FormatError, denied: [Access] = [], challenge: Failure.Challenge = .none, rule: String) {
        self.failure = Failure(error, denied: denied, challenge: challenge)
        self.rule = rule
    }

    /// One text for what is not there and for what may not be read.
    static let hidden = "there is nothing at this address, or nothing that you may see"
    static let signIn = "this needs rights that nobody has without signing in"
}

/// Who asks, and may they. What a client is told:
///
///     no credentials                    401 with the format's challenge, whether or not there is such a repository
///     a ticket for something else       401 insufficient_scope, with the scope that would do
///     somebody who may not read this    404, as if it were not there
///     somebody who may read and no more 403
extension ArtifactService {
    /// Who asks; or why that is not known, or may not ask now.
    struct Asker: Sendable {
        /// nil: not known.
        var principal: Principal?
        var failure: (any Error)?

        func get() throws -> Principal {
            if let failure { throw failure }
            guard let principal else { throw AccessFailure(.wrong, "it is not known who asks") }
            return principal
        }
    }

    func asker(of request: IncomingRequest, _ route: Route?, _ head: RequestHead) async -> Asker {
        // dockerd sends a mirror what it knows for Docker Hub.
        if self.gate.isOpen || route?.isMirror == true || !self.catalogue.leadsToRepositories(request) {
            return Asker(principal: self.gate.anonymous)
        }
        do {
            var asker = Asker(principal: try await self.gate.principal(for: request.credentials, from: request.client, audience: head.audience))
            do { try request.admission.admit(principal: asker.principal?.name ?? "") } catch { asker.failure = error }
            return asker
        } catch {
            return Asker(failure: error)
        }
    }

    /// The repository that the address leads to, where who asks may not know that there is one: they are answered as if there were none.
    ///
    /// At a root of the server nobody in particular is asked to sign in instead: containerd, told 404, never would.
    func hidden(_ route: Route?, _ request: IncomingRequest, from asker: Asker) -> Repository? {
        guard !self.gate.isOpen, route?.isMirror != true else { return nil }
        let caller = asker.principal ?? self.gate.anonymous
        if let own = self.catalogue.repository(at: request) { return self.mayKnow(own, caller.unlimited) ? nil : own }
        guard request.ownRoot == nil, !caller.isAnonymous, case .repository(let repository)? = route?.target else { return nil }
        return self.mayKnow(repository, caller.unlimited) ? nil : repository
    }

    /// - Throws: `Refusal` where credentials are wrong: also where nobody in particular would be let in, or a slip would go unnoticed.
    func caller(_ asker: Asker, _ request: IncomingRequest, _ route: Route) throws -> Principal {
        do {
            return try asker.get()
        } catch let failure as AccessFailure {
            throw self.refusal(failure, of: request.credentials, denied: (try? route.format.prepare(route.head).accesses) ?? [])  // no operation, no scope
        }
    }

    func refusal(_ failure: AccessFailure, of credentials: Credentials, denied: [Access]) -> Refusal {
        let error = FormatError(failure)
        guard error.code == .unauthenticated else { return Refusal(error, rule: "\(failure.code)") }
        var challenge = Failure.Challenge.signIn
        if case .bearer = credentials { challenge = .invalidToken }
        var refusal = Refusal(error, denied: denied, challenge: challenge, rule: "credentials")
        refusal.isLogin = true
        return refusal
    }

    /// A request that makes no sense is told so only to who may know that there is something.
    func prepared(_ route: Route, _ repository: Repository, _ caller: Principal) throws -> any PreparedOperation {
        do {
            return try route.format.prepare(route.head)
        } catch {
            guard self.mayKnow(repository, caller) else { throw self.denial(of: [], to: caller, route.isMirror) }
            throw error
        }
    }

    func mayKnow(_ repository: Repository, _ caller: Principal) -> Bool {
        let target = self.catalogue.target(of: repository) ?? repository
        return self.authorizer.refused([.some(.read, below: "")], of: repository.name, by: caller).isEmpty
            || [Action.write, .delete].contains { self.authorizer.refused([.some($0, below: "")], of: target.name, by: caller).isEmpty }
    }

    /// - Throws: `Refusal`.
    func authorise(_ operation: any PreparedOperation, in repository: Repository, _ caller: Principal, isMirror: Bool) throws {
        let denied = self.denied(operation.accesses, of: repository, caller)
        guard !denied.isEmpty else { return }
        if case .ticket = caller.means {
            throw Self.insufficient(for: operation.accesses, denied[0].action)
        }
        guard !caller.isAnonymous else { throw self.denial(of: denied, to: caller, isMirror) }
        let reading = denied.map { access in
            var reading = access
            reading.action = .read
            return reading
        }
        let mayRead = denied.allSatisfy { $0.action != .read } && self.authorizer.refused(reading, of: repository.name, by: caller).isEmpty
        guard mayRead else { throw self.denial(of: denied, to: caller, isMirror) }
        throw Refusal(
            FormatError(.forbidden, "«\(caller.name)» may read this, and has no right to \(denied[0].action.rawValue) it"), denied: denied, rule: "grant")
    }

    private static func insufficient(for wanted: [Access], _ action: Action) -> Refusal {
        let advice = "the token has no right to \(action.rawValue) this: sign in with an account that has, or ask an administrator for the right"
        return Refusal(FormatError(.unauthenticated, advice), denied: wanted, challenge: .insufficientScope, rule: "grant")
    }

    /// As for an address where there is nothing.
    func denial(of denied: [Access], to caller: Principal, _ isMirror: Bool) -> Refusal {
        guard caller.isAnonymous, !self.gate.isOpen, !isMirror else { return Refusal(FormatError(.notFound, Refusal.hidden), rule: "grant") }
        return Refusal(FormatError(.unauthenticated, Refusal.signIn), denied: denied, challenge: .signIn, rule: "grant")
    }

    /// What a group writes is written to one of its members, and so is a matter of the rights there.
    private func denied(_ accesses: [Access], of repository: Repository, _ caller: Principal) -> [Access] {
        let place = self.catalogue.target(of: repository) ?? repository
        return accesses.filter { !self.authorizer.refused([$0], of: $0.action == .read ? repository.name : place.name, by: caller).isEmpty }
    }

    /// A ticket for the catalogue is for all the lists that its holder may see, and says so in one word.
    func listing(_ operation: any PreparedOperation, _ caller: Principal) -> Principal {
        guard case .permits(_, catalog: true) = caller.limits, operation.accesses == [.some(.read, below: "")] else { return caller }
        return caller.unlimited
    }

    func refuse(_ outcome: inout RequestOutcome, _ refusal: Refusal, _ route: Route) {
        outcome.refuse(refusal) { route.format.render($0, for: route.head) }
    }

    /// An address that leads nowhere looks to nobody in particular as one that leads to what they may not see.
    func respondNowhere(_ request: IncomingRequest, _ format: (any ServedFormat)?, _ head: RequestHead, _ asker: Asker) -> RequestOutcome {
        var outcome = RequestOutcome(ArtifactResponse(.notFound))
        var refusal = Refusal(FormatError(.notFound, self.gate.isOpen ? "there is no repository at this address" : Refusal.hidden), rule: "")
        if !self.gate.isOpen, self.catalogue.leadsToRepositories(request) {
            let wanted = (try? format?.prepare(head).accesses) ?? []  // what is no operation wants nothing
            do {
                outcome.principal = try asker.get()
                if case .ticket = outcome.principal.means, let first = wanted.first {
                    refusal = Self.insufficient(for: wanted, first.action)
                } else if outcome.principal.isAnonymous {
                    refusal = Refusal(FormatError(.unauthenticated, Refusal.signIn), denied: wanted, challenge: .signIn, rule: "grant")
                }
            } catch let failure as AccessFailure {
                refusal = self.refusal(failure, of: request.credentials, denied: wanted)
            } catch {
                refusal = Refusal(FormatError(error), rule: "")
            }
        }
        outcome.refuse(refusal) { format?.render($0, for: head) ?? .plain($0, for: head) }
        return outcome
    }
}

extension RequestOutcome {
    fileprivate mutating func refuse(_ refusal: Refusal, _ render: (Failure) -> ArtifactResponse) {
        self.audit.rule = refusal.rule
        self.audit.isLogin = refusal.isLogin
        self.audit.claimedName = refusal.claimedName
        self.cause = refusal.failure.error.cause ?? refusal.failure.error
        self.response = render(refusal.failure)
        self.response.setRetry(refusal.failure.error.retryAfter)
    }
}

extension Route {
    var isAbsent: Bool {
        if case .absent = self.place { true } else { false }
    }
}

extension Principal {
    /// Without what its credential is confined to.
    var unlimited: Principal {
        var principal = self
        principal.limits = .none
        return principal
    }
}

extension FormatError {
    public init(_ failure: AccessFailure) {
        switch failure.code {
        case .wrong, .expired, .revoked: self.init(.unauthenticated, failure.message, cause: failure.cause)
        case .throttled: self.init(.throttled, failure.message, retryAfter: failure.retryAfter ?? .seconds(1))
        case .busy, .unavailable: self.init(.unavailable, failure.message, retryAfter: failure.retryAfter ?? .seconds(1), cause: failure.cause)
        case .tooLong: self.init(.invalidRequest, failure.message)
        case .cancelled: self.init(.cancelled, "the request was cancelled")
        }
    }
}
