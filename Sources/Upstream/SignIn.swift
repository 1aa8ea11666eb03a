import ArtifactModel
import HTTPTypes
import Outbound
import RepositoryEngine
import Synchronization

/// How requests to one remote are authenticated: what its challenges taught, and the tokens that were issued.
///
/// Basic credentials are sent to the remote once it has asked for them, or has hidden something from us without them; to a token
/// service always. A class, since every request of a repository shares what was learnt.
final class SignIn: Sendable {
    enum Attempt: Hashable {
        case anonymous
        /// `probes`: not asked for.
        case basic(probes: Bool)
        case own(token: String)
        case issued(String, TokenScope, isFresh: Bool)

        var standing: Verdict.Standing { if case .issued = self { .issued } else { .own } }
    }
    private struct State {
        var tokens = TokenCache()
        var wantsBasic = false
        var wantsTokens = false
    }

    let origin: WebOrigin
    private let credentials: UpstreamCredentials?
    private let service: TokenService
    private let flights = TokenFlights()
    private let now: WallClock
    private let state = Mutex(State())

    /// - Parameter credentials: nil for a remote that must not have them.
    init(_ origin: WebOrigin, _ credentials: UpstreamCredentials?, _ service: TokenService, now: @escaping WallClock) {
        self.origin = origin
        self.credentials = credentials
        self.service = service
        self.now = now
    }

    /// The same at another host, for nobody in particular.
    func anonymous(at origin: WebOrigin) -> SignIn { SignIn(origin, nil, self.service, now: self.now) }

    /// What the request is sent with first.
    /// - Parameter space: what of the upstream the request is about: a scope that was learnt for it holds for it again.
    func first(in space: String) async throws(UpstreamError) -> Attempt {
        if case .token(let token) = self.credentials { return .own(token: token) }
        let (wantsBasic, scope) = self.state.withLock { ($0.wantsBasic, $0.tokens.scope(of: space)) }
        if let scope { return try await self.issued(scope) }
        return wantsBasic ? .basic(probes: false) : .anonymous
    }

    /// What to send next after an answer; nil: the answer stands.
    func next(after attempt: Attempt, _ status: HTTPResponse.Status, _ headers: HTTPFields, in space: String) async throws(UpstreamError) -> Attempt? {
        switch (attempt, status.code) {
        case (.own, _): return nil
        case (.issued(let token, let scope, let isFresh), 401):
            let asked = Self.scope(headers) ?? scope
            guard !isFresh || asked != scope else { return nil }
            if asked == scope { self.state.withLock { $0.tokens.drop(token, for: scope) } }
            return try await self.learn(asked, in: space)
        case (_, 401):
            if let scope = Self.scope(headers) { return try await self.learn(scope, in: space) }
            guard attempt == .anonymous, self.hasBasic, Self.asksBasic(headers) else { return nil }
            self.state.withLock { $0.wantsBasic = true }
            return .basic(probes: false)
        case (.anonymous, 403), (.anonymous, 404):
            // Some hide what is private from strangers instead of asking who they are.
            return self.hasBasic && !self.state.withLock({ $0.wantsTokens }) ? .basic(probes: true) : nil
        case (.basic(probes: true), 200..<400):
            self.state.withLock { $0.wantsBasic = true }
            return nil
        default: return nil
        }
    }

    func header(for attempt: Attempt) -> String? {
        switch attempt {
        case .anonymous: nil
        case .basic: self.credentials.flatMap(TokenService.basic)
        case .own(let token), .issued(let token, _, _): "Bearer \(token)"
        }
    }

    private var hasBasic: Bool { if case .basic = self.credentials { true } else { false } }

    private func learn(_ scope: TokenScope, in space: String) async throws(UpstreamError) -> Attempt {
        let attempt = try await self.issued(scope)
        self.state.withLock {
            $0.tokens.learn(scope, of: space)
            $0.wantsTokens = true
        }
        return attempt
    }

    private func issued(_ scope: TokenScope) async throws(UpstreamError) -> Attempt {
        if let token = self.kept(scope) { return .issued(token, scope, isFresh: false) }
        let token = try await self.flights.token(for: scope) { () async throws(UpstreamError) -> String in
            // The one before may have been given one.
            if let token = self.kept(scope) { return token }
            let asked = self.now()
            let answer = try await self.service.ask(scope, self.credentials, for: self.origin)
            self.state.withLock { $0.tokens.keep(answer, for: scope, asked: asked) }
            return answer.token
        }
        return .issued(token, scope, isFresh: true)
    }

    private func kept(_ scope: TokenScope) -> String? {
        let now = self.now()
        return self.state.withLock { $0.tokens.token(for: scope, now: now) }
    }

    private static func scope(_ headers: HTTPFields) -> TokenScope? {
        Challenge.parse(headers[values: .wwwAuthenticate]).lazy.compactMap { TokenScope($0) }.first
    }

    private static func asksBasic(_ headers: HTTPFields) -> Bool {
        Challenge.parse(headers[values: .wwwAuthenticate]).contains { $0.scheme == "basic" }
    }
}
