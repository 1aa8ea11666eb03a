public import AccessControl
import ArtifactModel
public import FormatAPI
import HTTPTypes
import NIOCore

/// The engine's door: routes a request, finds out who asks, parses it, authorises it, has the format answer it from the repository's
/// content, and renders what failed.
public struct ArtifactService: ArtifactHandler {
    let catalogue: Catalogue
    let contents: ContentMaker
    let authorizer: any Authorizer
    let gate: any Gatekeeper
    /// nil: nobody makes tokens here.
    let desk: (any TokenDesk)?

    public init(_ catalogue: Catalogue, contents: ContentMaker, authorizer: any Authorizer, gate: any Gatekeeper, desk: (any TokenDesk)? = nil) {
        self.desk = desk
        self.catalogue = catalogue
        self.contents = contents
        self.authorizer = authorizer
        self.gate = gate
    }

    public func respond(to request: IncomingRequest) async -> RequestOutcome {
        let found = self.catalogue.route(request)
        let asker = await self.asker(of: request, found.route, found.head)
        let hidden = self.hidden(found.route, request, from: asker)
        let isUnknown = hidden != nil || self.catalogue.repository(at: request) == nil
        if isUnknown, !self.gate.isOpen, asker.principal?.isAnonymous ?? true, let signIn = self.catalogue.signIn(request) {
            return await self.respond(toSignIn: signIn, request, asker, of: hidden)
        }
        guard let hidden else { return await self.respond(to: request, found, asker) }
        var outcome = await self.respond(to: request, self.catalogue.hiding(hidden.name).route(request), asker)
        // The trail says what somebody was kept from; the answer does not.
        if let route = found.route, asker.principal?.isAnonymous == false, let operation = try? route.format.prepare(route.head) {  // else it was no operation
            outcome.repository = hidden.name
            outcome.note(operation)
            outcome.audit.rule = "grant"
        }
        return outcome
    }

    private func respond(
        to request: IncomingRequest, _ found: (route: Route?, format: (any ServedFormat)?, head: RequestHead), _ asker: Asker
    ) async -> RequestOutcome {
        guard let route = found.route, !(self.gate.isOpen && route.isAbsent) else { return self.respondNowhere(request, found.format, found.head, asker) }
        switch route.target {
        case .site: return await self.respond(atDoor: route, request, asker)
        case .repository(let repository):
            guard case .asked(let isLocal) = request.explain else { return await self.respond(in: repository, route, request, RequestNotes(), asker) }
            return await self.explain(repository, route, request, asker, isLocal: isLocal)
        }
    }

    public func refusal(_ error: FormatError, of path: String) -> ArtifactResponse? {
        let head = RequestHead(method: .get, path: [])
        return self.catalogue.format(ofRefused: path, isOpen: self.gate.isOpen)?.render(Failure(error), for: head)
    }

    public var idleFields: [String] { self.catalogue.formats.values.flatMap(\.idleFields).sorted() }

    func respond(in repository: Repository, _ route: Route, _ request: IncomingRequest, _ notes: RequestNotes, _ asker: Asker) async -> RequestOutcome {
        var outcome = RequestOutcome(ArtifactResponse(.ok), repository: repository.name)
        outcome.refuse = { route.format.render(Failure($0), for: route.head) }
        let logins = Logins()
        let marks = request.isPlain ? self.contents.marks(of: repository, in: self.catalogue) : nil
        do {
            var caller = try self.caller(asker, request, route)
            outcome.principal = caller
            let operation = try self.prepared(route, repository, caller)
            outcome.note(operation)
            caller = self.listing(operation, caller)
            try self.authorise(operation, in: repository, caller, isMirror: route.isMirror)
            let path = AskedPath(route.head.path, operation.accesses)
            try self.heedRule(of: repository, path, operation, notes)
            outcome.response = try await self.answer(operation, at: path, in: repository, route, request, caller, notes, logins)
            outcome.noteDigest()
            if let marks, outcome.response.mayStand, let terms = notes.repetition { outcome.standing = Standing(marks, terms, now: self.contents.now()) }
        } catch let refusal as Refusal {
            self.refuse(&outcome, refusal, route)
        } catch {
            self.fail(&outcome, with: error, route)
        }
        outcome.note(logins)
        outcome.response.cache = notes.cache
        return outcome
    }

    private func answer(
        _ operation: any PreparedOperation, at path: AskedPath, in repository: Repository, _ route: Route, _ request: IncomingRequest, _ caller: Principal,
        _ notes: RequestNotes, _ logins: Logins
    ) async throws -> ArtifactResponse {
        let catalogue = self.catalogue
        let content = self.contents.content(
            of: repository, for: caller, request: request.id, Delivery(request.method, request.headers), in: catalogue, self.authorizer,
            asked: operation.accesses.isEmpty ? nil : path, notes: notes, publicBase: request.base(of: repository),
            account: self.account(of: caller, in: repository, route, request, logins)
        ) {
            catalogue.destination(of: $0, asIn: request)
        }
        let seen = PartlySeen.around(content, of: repository, by: caller, self.authorizer)
        return try await operation.respond(
            ArtifactRequest(head: route.head, body: request.body), in: seen, settings: (catalogue.target(of: repository) ?? repository).settings)
    }

    /// What asks for nothing, as clients do before they sign in, is no matter of rules.
    private func heedRule(of repository: Repository, _ path: AskedPath, _ operation: any PreparedOperation, _ notes: RequestNotes) throws {
        guard let rule = repository.rule, !operation.accesses.isEmpty else { return }
        let isAllowed = repository.allows(path)
        notes.trace?.add(repository.name, "routing rule «\(rule.name)» for \(path.seen(by: repository))", isAllowed ? "allows it" : "does not allow it")
        guard isAllowed else {
            throw Refusal(FormatError(.forbidden, "the routing rule of «\(repository.name)» does not allow this path"), rule: "routingRule \(rule.name)")
        }
    }

    func fail(_ outcome: inout RequestOutcome, with error: any Error, _ route: Route) {
        let failure = FormatError(error)
        outcome.cause = failure.cause ?? failure
        if failure.code == .readOnly || (error as? Edit.Refused).map({ if case .policy = $0 { true } else { false } }) == true {
            outcome.audit.rule = "writePolicy"
        }
        outcome.response = route.format.render(Failure(failure), for: route.head)
        outcome.response.setRetry(failure.retryAfter)
    }
}

extension ArtifactResponse {
    /// The format's word; and it is whole, and may be kept.
    fileprivate var mayStand: Bool {
        guard self.isRepeatable, self.headers[.skippedMembers] == nil, self.headers[.cacheControl]?.contains("no-store") != true else { return false }
        if case .content(let content) = self.body { return content.skippedMembers.isEmpty }
        return true
    }

    mutating func setRetry(_ delay: Duration?) {
        guard let delay, self.headers[.retryAfter] == nil else { return }
        self.headers[.retryAfter] = String(max(1, delay.components.seconds))
    }

    /// Where no format is known whose words could be used.
    static func plain(_ status: HTTPResponse.Status, _ message: String, headers: HTTPFields = [:]) -> ArtifactResponse {
        var headers = headers
        headers[.contentType] = "text/plain; charset=utf-8"
        return ArtifactResponse(status, headers: headers, body: .bytes(ByteBuffer(string: message + "\n")))
    }
}

extension RequestOutcome {
    mutating func note(_ operation: any PreparedOperation) {
        self.operation = operation.name
        self.audit.action = operation.accesses.first?.action
        self.audit.subject = operation.subject
        self.audit.isFetch = operation.isFetch
    }

    mutating func noteDigest() {
        if case .content(let content) = self.response.body {
            self.audit.digest = content.head.digests.first?.description ?? "?"
        } else if let written = self.response.written {
            self.audit.digest = written.description
        }
    }
}
