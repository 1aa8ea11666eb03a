public import AccessControl
import ArtifactModel
public import FormatAPI
import HTTPTypes
import NIOCore

/// The engine's door: routes a request, parses it, authorises it, has the format answer it from the repository's content, and renders
/// what failed.
public struct ArtifactService: ArtifactHandler {
    private let catalogue: Catalogue
    private let contents: ContentMaker
    private let authorizer: any Authorizer

    public init(_ catalogue: Catalogue, contents: ContentMaker, authorizer: any Authorizer) {
        self.catalogue = catalogue
        self.contents = contents
        self.authorizer = authorizer
    }

    public func respond(to request: IncomingRequest) async -> RequestOutcome {
        let (route, format, head) = self.catalogue.route(request)
        guard let route else {
            let error = FormatError(.notFound, "there is no repository at this address")
            return RequestOutcome(format?.render(Failure(error), for: head) ?? Self.plain(error))
        }
        switch route.target {
        case .site: return await self.respond(atDoor: route, request)
        case .repository(let repository):
            guard request.explain != .not else { return await self.respond(in: repository, route, request, RequestNotes()) }
            return await self.explain(repository, route, request)
        }
    }

    public func refusal(_ error: FormatError, of path: String) -> ArtifactResponse? {
        let head = RequestHead(method: .get, path: [])
        return self.catalogue.format(ofRefused: path)?.render(Failure(error), for: head)
    }

    private func respond(in repository: Repository, _ route: Route, _ request: IncomingRequest, _ notes: RequestNotes) async -> RequestOutcome {
        var outcome = RequestOutcome(ArtifactResponse(.ok), repository: repository.name)
        outcome.refuse = { route.format.render(Failure($0), for: route.head) }
        do {
            let operation = try route.format.prepare(route.head)
            outcome.operation = operation.name
            let principal = Principal.anonymous()
            outcome.principal = principal.name
            let target = self.catalogue.target(of: repository)
            let denied = self.refused(operation.accesses, of: repository, writingTo: target, by: principal)
            guard denied.isEmpty else {
                let error = FormatError(.unauthenticated, "this needs rights that nobody has without signing in")
                outcome.response = route.format.render(Failure(error, denied: denied, anonymous: true), for: route.head)
                return outcome
            }
            let path = AskedPath(route.head.path, operation.accesses)
            // What asks for nothing, as clients do before they sign in, is no matter of rules.
            let isAllowed = operation.accesses.isEmpty || repository.allows(path)
            if let rule = repository.rule, let trace = notes.trace {
                trace.add(repository.name, "routing rule «\(rule.name)» for \(path.seen(by: repository))", isAllowed ? "allows it" : "does not allow it")
            }
            guard isAllowed else {
                throw FormatError(FormatError.Code.forbidden, "the routing rule of «\(repository.name)» does not allow this path")
            }
            let catalogue = self.catalogue
            let content = self.contents.content(
                of: repository, for: principal, request: request.id, Delivery(request.method, request.headers), in: catalogue, self.authorizer,
                asked: operation.accesses.isEmpty ? nil : path, notes: notes, publicBase: request.base(of: repository)
            ) {
                catalogue.destination(of: $0, asIn: request)
            }
            outcome.response = try await operation.respond(
                ArtifactRequest(head: route.head, body: request.body), in: content, settings: (target ?? repository).settings)
        } catch {
            self.fail(&outcome, with: error, route)
        }
        outcome.response.cache = notes.cache
        return outcome
    }

    /// Decides as for the request itself, and answers why.
    private func explain(_ repository: Repository, _ route: Route, _ request: IncomingRequest) async -> RequestOutcome {
        var refused = RequestOutcome(ArtifactResponse(.ok), repository: repository.name, operation: "explain")
        guard request.explain == .allowed else {
            let error = FormatError(FormatError.Code.forbidden, "only who is on the server's own machine, at 127.0.0.1 or ::1, may ask why")
            self.fail(&refused, with: error, route)
            return refused
        }
        guard request.method == .get || request.method == .head else {
            self.fail(&refused, with: FormatError(.invalidRequest, "only GET and HEAD can be explained: others would change something"), route)
            return refused
        }
        let trace = DecisionTrace()
        var outcome = await self.respond(in: repository, route, request, RequestNotes(trace: trace))
        let explanation = Explanation(request, outcome, format: route.format.id, trace) { name in
            self.authorizer.refused([Access(.read)], of: name, by: .anonymous()).isEmpty
        }
        outcome.response = explanation.response()
        outcome.operation = "explain"
        outcome.cause = nil
        return outcome
    }

    /// What a group writes is written to one of its members, and so is a matter of the rights there.
    private func refused(_ accesses: [Access], of repository: Repository, writingTo target: Repository?, by principal: Principal) -> [Access] {
        let place = target ?? repository
        return accesses.filter { !self.authorizer.refused([$0], of: $0.action == .read ? repository.name : place.name, by: principal).isEmpty }
    }

    private func respond(atDoor route: Route, _ request: IncomingRequest) async -> RequestOutcome {
        var outcome = RequestOutcome(ArtifactResponse(.ok), operation: "site")
        do {
            let site = SiteView(
                format: route.format.id, principal: .anonymous(), requestID: request.id, catalogue: self.catalogue, contents: self.contents,
                authorizer: self.authorizer)
            guard let response = try await route.format.respond(atDoor: route.head, in: site) else {
                throw FormatError(.notFound, "there is nothing at this address")
            }
            outcome.response = response
        } catch {
            self.fail(&outcome, with: error, route)
        }
        return outcome
    }

    private func fail(_ outcome: inout RequestOutcome, with error: any Error, _ route: Route) {
        let failure = FormatError(error)
        outcome.cause = failure.cause ?? failure
        outcome.response = route.format.render(Failure(failure), for: route.head)
        if let delay = failure.retryAfter, outcome.response.headers[.retryAfter] == nil {
            outcome.response.headers[.retryAfter] = String(max(1, delay.components.seconds))
        }
    }

    /// Where no format is known whose words could be used.
    private static func plain(_ error: FormatError) -> ArtifactResponse {
        ArtifactResponse(.notFound, headers: [.contentType: "text/plain; charset=utf-8"], body: .bytes(ByteBuffer(string: error.message + "\n")))
    }
}

/// All repositories of one format that the principal may read.
struct SiteView: Site {
    let format: String
    let principal: Principal
    let requestID: String
    let catalogue: Catalogue
    let contents: ContentMaker
    let authorizer: any Authorizer

    func readable() async throws -> [RepositoryName] {
        self.catalogue.repositories.values.filter { $0.format == self.format && self.mayRead($0) }.map(\.name).sorted()
    }

    func content(of repository: RepositoryName) async throws -> (any RepositoryContent)? {
        guard let repository = self.catalogue.repositories[repository], repository.format == self.format, self.mayRead(repository) else { return nil }
        return self.contents.content(of: repository, for: self.principal, request: self.requestID, in: self.catalogue, self.authorizer)
    }

    private func mayRead(_ repository: Repository) -> Bool {
        self.authorizer.refused([Access(.read)], of: repository.name, by: self.principal).isEmpty
    }
}
