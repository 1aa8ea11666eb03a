import AccessControl
import ArtifactModel
import FormatAPI
import HTTPTypes
import Synchronization

extension ArtifactService {
    /// What is asked of a root, and of no one repository.
    func respond(atDoor route: Route, _ request: IncomingRequest, _ asker: Asker) async -> RequestOutcome {
        var outcome = RequestOutcome(ArtifactResponse(.ok), operation: "site")
        let logins = Logins()
        do {
            let caller = try self.caller(asker, request, route)
            outcome.principal = caller
            // Nobody in particular is given a ticket for nothing, and asked to sign in, whether there is such a repository or not.
            guard !route.isAbsent || caller.isAnonymous else { throw self.denial(of: [], to: caller, route.isMirror) }
            let catalogue = self.catalogue
            let site = SiteView(
                service: self, format: route.format.id, caller: caller, request: request, audience: route.head.audience, isMirror: route.isMirror,
                logins: logins)
            guard let response = try await route.format.respond(atDoor: ArtifactRequest(head: route.head, body: request.body), in: site) else {
                throw catalogue.isEmpty
                    ? Refusal(FormatError(.notFound, "there is nothing at this address"), rule: "") : self.denial(of: [], to: caller, route.isMirror)
            }
            outcome.response = response
        } catch let refusal as Refusal {
            self.refuse(&outcome, refusal, route)
        } catch {
            self.fail(&outcome, atDoorWith: error, route)
        }
        outcome.note(logins)
        if logins.last != nil { outcome.operation = "login" }
        return outcome
    }

    private func fail(_ outcome: inout RequestOutcome, atDoorWith error: any Error, _ route: Route) {
        guard let error = error as? FormatError, error.code == .unauthenticated, !self.gate.isOpen, !route.isMirror else {
            return self.fail(&outcome, with: error, route)
        }
        var challenge = Failure.Challenge.signIn
        if case .ticket = outcome.principal.means { challenge = outcome.principal.isAnonymous ? .signIn : .insufficientScope }
        self.refuse(&outcome, Refusal(error, challenge: challenge, rule: "grant"), route)
    }

    /// Decides as for the request itself, and answers why.
    func explain(_ repository: Repository, _ route: Route, _ request: IncomingRequest, _ asker: Asker, isLocal: Bool) async -> RequestOutcome {
        var refused = RequestOutcome(ArtifactResponse(.ok), repository: repository.name, operation: "explain")
        do {
            let caller = try self.caller(asker, request, route)
            refused.principal = caller
            try self.mayAskWhy(route, repository, caller, isLocal: isLocal)
            guard request.method == .get || request.method == .head else {
                throw FormatError(.invalidRequest, "only GET and HEAD can be explained: others would change something")
            }
        } catch let refusal as Refusal {
            self.refuse(&refused, refusal, route)
            return refused
        } catch {
            self.fail(&refused, with: error, route)
            return refused
        }
        let caller = refused.principal
        let trace = DecisionTrace()
        var outcome = await self.respond(in: repository, route, request, RequestNotes(trace: trace), asker)
        let explanation = Explanation(request, outcome, format: route.format.id, trace) { name in
            self.authorizer.refused([.some(.read, below: "")], of: name, by: caller).isEmpty
        }
        outcome.response = explanation.response()
        outcome.operation = "explain"
        outcome.audit = .explanation(of: outcome.audit)
        outcome.cause = nil
        return outcome
    }

    /// Without access control only who sits at the machine is told; with it, who has the right to.
    private func mayAskWhy(_ route: Route, _ repository: Repository, _ caller: Principal, isLocal: Bool) throws {
        guard !self.gate.isOpen else {
            if isLocal { return }
            throw FormatError(.forbidden, "only who is on the server's own machine, at 127.0.0.1 or ::1, may ask why")
        }
        let asked = try self.prepared(route, repository, caller).accesses.map { access in
            var asked = access
            asked.action = .explain
            return asked
        }
        let denied = self.authorizer.refused(asked.isEmpty ? [Access(.explain)] : asked, of: repository.name, by: caller)
        guard !denied.isEmpty else { return }
        guard !caller.isAnonymous, self.mayKnow(repository, caller) else { throw self.denial(of: denied, to: caller, route.isMirror) }
        throw Refusal(FormatError(.forbidden, "asking why needs the right «explain» for this repository"), denied: denied, rule: "grant")
    }
}

/// What was done about accounts during one request, for the audit trail.
final class Logins: Sendable {
    private struct State {
        var last: Principal?
        var change = ""
    }
    private let state = Mutex(State())
    /// Who has exchanged credentials for something that lasts.
    var last: Principal? { self.state.withLock { $0.last } }
    /// What was made or ended; empty: nothing.
    var change: String { self.state.withLock { $0.change } }
    func note(_ principal: Principal) { self.state.withLock { $0.last = principal } }
    func note(change: String) { self.state.withLock { $0.change = change } }
}

extension RequestOutcome {
    mutating func note(_ logins: Logins) {
        self.audit.change = logins.change
        guard let login = logins.last else { return }
        self.audit.isLogin = true
        self.principal = login
    }
}
