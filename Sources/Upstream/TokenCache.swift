import ArtifactModel

/// What a token is asked for. Docker's token authentication specification calls these so.
struct TokenScope: Hashable, Sendable {
    var realm: String
    var service: String
    var scope: String

    /// nil: no realm.
    init?(_ challenge: Challenge) {
        guard challenge.scheme == "bearer", let realm = challenge.parameters["realm"], !realm.isEmpty else { return nil }
        self.realm = realm
        self.service = challenge.parameters["service"] ?? ""
        self.scope = challenge.parameters["scope"] ?? ""
    }
}

/// Tokens until they expire, and which scope a name of the upstream wants. A value: it is told what time it is.
struct TokenCache: Hashable, Sendable {
    struct Token: Hashable, Sendable {
        var text: String
        var goodUntil: Timestamp
    }
    static let most = 4096

    private var tokens: [TokenScope: Token] = [:]
    private var scopes: [String: TokenScope] = [:]

    /// - Parameter now: a token that has less than a tenth of its time, at most ten seconds, is not given out again.
    func token(for scope: TokenScope, now: Timestamp) -> String? {
        guard let token = self.tokens[scope], now < token.goodUntil else { return nil }
        return token.text
    }

    func scope(of space: String) -> TokenScope? { self.scopes[space] }

    mutating func learn(_ scope: TokenScope, of space: String) {
        if self.scopes.count >= Self.most { self.scopes = [:] }
        self.scopes[space] = scope
    }

    mutating func keep(_ answer: TokenAnswer, for scope: TokenScope, asked: Timestamp) {
        if self.tokens.count >= Self.most { self.tokens = self.tokens.filter { asked < $0.value.goodUntil } }
        if self.tokens.count >= Self.most { self.tokens = [:] }
        let lifetime = answer.lifetime(asked: asked)
        self.tokens[scope] = Token(text: answer.token, goodUntil: asked + lifetime - min(lifetime / 10, .seconds(10)))
    }

    /// Only this one: another may have been issued meanwhile.
    mutating func drop(_ token: String, for scope: TokenScope) {
        if self.tokens[scope]?.text == token { self.tokens[scope] = nil }
    }
}
