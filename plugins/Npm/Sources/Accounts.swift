import ArtifactModel
import FormatAPI
import FoundationEssentials
import HTTPTypes
import NIOCore

/// `npm login`, `whoami`, `profile` and `token`: npm's own words for what access control has. Where there is none, everybody is «anonymous», and every token
/// is as good as another.
struct Accounts: Sendable {
    private static let longestBody = 16 << 10
    /// Of a server without access control: npm will not publish without having some token.
    private static let openToken = "open-access"
    private let context: RequestContext

    init(_ context: RequestContext) { self.context = context }

    func answer(_ kind: NpmOperation.Kind, _ request: ArtifactRequest) async throws -> ArtifactResponse {
        switch kind {
        case .whoami: return .json(.made(["username": .string(try self.name())]))
        case .profile: return .json(.made(["name": .string(try self.name()), "tfa": .bool(false), "email": .string(""), "email_verified": .bool(true)]))
        case .user(let name):
            _ = try self.name()
            return .json(.made(["_id": .string("org.couchdb.user:\(name)"), "name": .string(name), "email": .string("")]))
        case .signIn(let name): return try await self.signIn(name, request)
        case .signOut(let token): return try await self.signOut(token)
        case .tokens: return try await self.tokens()
        case .makeToken: return try await self.makeToken(request)
        case .revokeToken(let key): return try await self.revokeToken(key)
        default: throw NpmAddress.nothing
        }
    }

    private func name() throws -> String {
        guard let account = self.context.account else { return "anonymous" }
        guard !account.name.isEmpty else { throw FormatError(.unauthenticated, "sign in first: npm login, or a token in .npmrc (_authToken)") }
        return account.name
    }

    // MARK: Signing in

    private func signIn(_ name: String, _ request: ArtifactRequest) async throws -> ArtifactResponse {
        let body = try await request.json(upTo: Self.longestBody, self.context)
        guard let password = body["password"]?.string, body["name"]?.string.map({ $0 == name }) ?? true else {
            throw FormatError(.invalidRequest, "signing in takes a JSON object with «name», as in the address, and «password»")
        }
        let token = try await self.context.account?.signIn(name, password: password, for: "npm") ?? Self.openToken
        var response = ArtifactResponse.json(
            .made([
                "ok": .bool(true), "id": .string("org.couchdb.user:\(name)"), "rev": .string("_we_dont_use_revs_any_more"), "token": .string(token),
            ]), status: .created)
        response.headers[.cacheControl] = "no-store"
        return response
    }

    private func signOut(_ token: String) async throws -> ArtifactResponse {
        guard let account = self.context.account else { return .json(.made(["ok": .bool(true)])) }
        _ = try self.name()
        guard try await account.revokeOwnToken(token) else { throw FormatError(.notFound, "you have no such token") }
        return .json(.made(["ok": .bool(true)]))
    }

    // MARK: Tokens

    private func tokens() async throws -> ArtifactResponse {
        _ = try self.name()
        let tokens = try await self.context.account?.tokens() ?? []
        let objects = tokens.map { Self.shown($0, text: nil) }
        return .json(.made(["total": .number("\(tokens.count)"), "objects": .array(objects), "urls": .object([])]))
    }

    /// `{"password":…,"readonly":…,"cidr_whitelist":…}`
    private func makeToken(_ request: ArtifactRequest) async throws -> ArtifactResponse {
        _ = try self.name()
        let body = try await request.json(upTo: Self.longestBody, self.context)
        guard let account = self.context.account else { return .json(Self.shown(nil, text: Self.openToken), status: .created) }
        guard let password = body["password"]?.string else { throw FormatError(.invalidRequest, "a token is made with «password»") }
        if let addresses = body["cidr_whitelist"]?.elements, !addresses.isEmpty {
            throw FormatError(.invalidRequest, "tokens cannot be confined to addresses here; leave --cidr out")
        }
        let grants = body["readonly"] == .bool(true) ? ["read:*"] : []
        let (text, token) = try await account.makeToken("npm-\(UInt32.random(in: 0 ... .max))", password: password, grants: grants)
        var response = ArtifactResponse.json(Self.shown(token, text: text), status: .created)
        response.headers[.cacheControl] = "no-store"
        return response
    }

    private func revokeToken(_ key: String) async throws -> ArtifactResponse {
        _ = try self.name()
        guard let account = self.context.account, let id = Int64(key.prefix { $0 != "-" }), try await account.revokeToken(id) else {
            throw FormatError(.notFound, "you have no token «\(key.prefix(64))»")
        }
        return ArtifactResponse(.noContent)
    }

    /// npm lists the beginning of a token, which nobody knows any more here: its number and name stand for it. `npm token revoke` wants at least six characters.
    private static func shown(_ token: AccountToken?, text: String?) -> JSONValue {
        let key = token.map { "\($0.id)-\($0.name)" } ?? "0"
        let moment = token?.created.isoText ?? Timestamp(milliseconds: 0).isoText
        let isReadOnly = token.map { !$0.grants.isEmpty && $0.grants.allSatisfy { $0.hasPrefix("read:") } } ?? false
        return .made([
            "token": .string(text ?? "entrepot_…"), "key": .string(key), "cidr_whitelist": .null, "created": .string(moment), "updated": .string(moment),
            "readonly": .bool(isReadOnly), "name": .string(token?.name ?? ""), "expires": token?.expires.map { .string($0.isoText) } ?? .null,
        ])
    }
}
