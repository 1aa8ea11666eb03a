public import AccessControl
import FormatAPI
import HTTPTypes
public import RepositoryEngine

/// The pages and the API of the server itself, by their paths.
///
///     /                      what this is, and who you are
///     /sign-in, /sign-out    the session of the pages
///     /api/v1/me             who asks, and with which rights
///     /api/v1/tokens[/id]    one's own tokens
///     /api/v1/openapi.json   what of the API there is, for programs
public struct ServerPages: PageHandler {
    private let callers: Callers
    private let authorizer: any Authorizer
    private let signIn: SignIn
    private let tokens: TokenRoutes
    private let nonce: @Sendable () -> String

    public init(gate: any Gatekeeper, authorizer: any Authorizer, desk: (any TokenDesk)?) {
        self.callers = Callers(gate: gate)
        self.authorizer = authorizer
        let nonce: @Sendable () -> String = { String(UInt64.random(in: 0 ... .max), radix: 36) + String(UInt64.random(in: 0 ... .max), radix: 36) }
        self.nonce = nonce
        self.signIn = SignIn(gate: gate, nonce: nonce)
        self.tokens = TokenRoutes(desk: desk)
    }

    public func refusalOfMetrics(_ request: IncomingRequest) async -> RequestOutcome? {
        guard !self.callers.gate.isOpen else { return nil }
        var outcome = RequestOutcome(ArtifactResponse(.unauthorized), operation: "page")
        do {
            outcome.principal = try await self.callers.caller(of: request)
            guard !self.authorizer.has(.metrics, outcome.principal) else { return nil }
            let code: FormatError.Code = outcome.principal.isAnonymous ? .unauthenticated : .forbidden
            throw FormatError(code, "this needs the right system:metrics")
        } catch {
            let failure = Self.failure(error)
            outcome.cause = failure.cause ?? failure
            outcome.noteRefused(failure, of: request)
            outcome.response = APIAnswer.refusal(failure)
            return outcome
        }
    }

    public func answer(_ request: IncomingRequest) async -> RequestOutcome? {
        switch request.target.path.first {
        case nil where request.target.path.isEmpty, "sign-in", "sign-out": return await self.page(request)
        case "api": return await self.api(request)
        default: return nil
        }
    }

    // MARK: Pages

    private func page(_ request: IncomingRequest) async -> RequestOutcome? {
        var outcome = RequestOutcome(ArtifactResponse(.ok), operation: "page")
        do {
            switch (request.target.path, request.method) {
            case ([], .get), ([], .head): outcome.response = try await self.welcome(request)
            case (["sign-in"], .get), (["sign-in"], .head): outcome.response = self.signIn.form(request)
            case (["sign-in"], .post):
                outcome.audit.isLogin = true
                outcome.operation = "login"
                let (response, principal, claimed) = try await self.signIn.submit(request)
                outcome.response = response
                outcome.audit.claimedName = claimed
                if let principal { outcome.principal = principal } else { outcome.audit.rule = "credentials" }
            case (["sign-out"], .post): outcome.response = try self.signIn.signOut(request)
            case ([], _), (["sign-in"], _), (["sign-out"], _): outcome.response = ArtifactResponse(.methodNotAllowed, headers: [.allow: "GET, HEAD, POST"])
            default: return nil
            }
        } catch {
            let failure = Self.failure(error)
            outcome.cause = failure.cause ?? failure
            outcome.noteRefused(failure, of: request)
            outcome.response = Page(title: "Not done", body: "<p>\(Markup.escaped(failure.message))</p>", status: APIAnswer.refusal(failure).status)
                .response(nonce: self.nonce())
        }
        return outcome
    }

    private static func failure(_ error: any Error) -> FormatError {
        error as? FormatError ?? FormatError(.internalFailure, "the server failed at this; its log says more under the request's id", cause: error)
    }

    private func welcome(_ request: IncomingRequest) async throws -> ArtifactResponse {
        let caller = try await self.callers.caller(of: request)
        let who =
            if self.callers.gate.isOpen {
                "<p>There is no access control here: everyone may read and write.</p>"
            } else if caller.isAnonymous {
                "<p><a href=\"/sign-in\">Sign in</a></p>"
            } else {
                "<p>You are <code>\(Markup.escaped(caller.name))</code>.</p><form method=\"post\" action=\"/sign-out\"><button type=\"submit\">Sign out</button></form>"
            }
        let body = """
            <p>Artifacts are at <code>/repository/&lt;name&gt;/</code>, container images at <code>/v2/</code>.</p>
            \(who)
            <p><a href="/health/ready">Health</a> · <a href="/metrics">Metrics</a></p>
            """
        return Page(title: "Entrepot", body: body).response(nonce: self.nonce())
    }

    // MARK: API

    private func api(_ request: IncomingRequest) async -> RequestOutcome {
        var outcome = RequestOutcome(ArtifactResponse(.ok), operation: "api")
        do {
            let caller = try await self.callers.caller(of: request)
            outcome.principal = caller
            if request.target.path == ["api", "v1", "openapi.json"], request.method == .get {
                outcome.response = OpenAPIDocument.response
                return outcome
            }
            guard !caller.isAnonymous || self.callers.gate.isOpen else { throw FormatError(.unauthenticated, "sign in, or send a token") }
            let path = Array(request.target.path.dropFirst())
            switch (path.prefix(2), request.method) {
            case (["v1", "me"], .get) where path.count == 2: outcome.response = APIAnswer.json(Me(caller))
            case (["v1", "tokens"], _) where path.count <= 3:
                (outcome.response, outcome.audit.change) = try await self.tokens.answer(request, caller)
            default: throw FormatError(.notFound, "the API has nothing at this address")
            }
        } catch {
            let failure = Self.failure(error)
            outcome.cause = failure.cause ?? failure
            outcome.noteRefused(failure, of: request)
            outcome.response = APIAnswer.refusal(failure)
        }
        return outcome
    }

    private struct Me: Encodable {
        var name: String
        var roles: [String]
        var means: String
        var confinedTo: [String]?

        init(_ caller: Principal) {
            self.name = caller.name
            self.roles = caller.roles
            self.means = caller.means.words
            if case .grants(let grants) = caller.limits { self.confinedTo = grants.map(\.description) }
        }
    }
}

extension RequestOutcome {
    /// Credentials that were wrong, or that were no right: for the audit trail.
    fileprivate mutating func noteRefused(_ failure: FormatError, of request: IncomingRequest) {
        switch failure.code {
        case .unauthenticated where request.credentials != .none:
            self.audit.isLogin = true
            self.audit.rule = "credentials"
        case .forbidden: self.audit.rule = "grant"
        default: break
        }
    }
}
