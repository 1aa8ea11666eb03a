import AccessControl
import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import RepositoryEngine
import StorageAPI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `/api/v1/tokens`: one's own. Made by who signed in with a password, so that a token that was found makes no others.
struct TokenRoutes: Sendable {
    private static let longestBody = 16 << 10
    let desk: (any TokenDesk)?

    private struct Wanted: Decodable {
        var name: String
        var grants: [String]?
        var expiresIn: String?
    }

    private struct Shown: Encodable {
        var id: Int64
        var name: String
        var grants: [String]
        var created: String
        var expires: String?
        var lastUsed: String?
        var lastAddress: String?
        /// Once, when it is made.
        var token: String?

        init(_ token: TokenRecord, text: String? = nil) {
            func moment(_ time: Timestamp) -> String { Date(timeIntervalSince1970: Double(time.milliseconds / 1000)).formatted(.iso8601) }
            self.id = token.id
            self.name = token.name
            self.grants = token.grants
            self.created = moment(token.created)
            self.expires = token.expires.map(moment)
            self.lastUsed = token.lastUsed.map(moment)
            self.lastAddress = token.lastAddress.isEmpty ? nil : token.lastAddress
            self.token = text
        }
    }

    /// - Returns: the answer, and what was changed; empty: nothing.
    func answer(_ request: IncomingRequest, _ caller: Principal) async throws -> (ArtifactResponse, change: String) {
        guard let desk = self.desk else { throw FormatError(.notFound, "there is no access control here, and there are no tokens") }
        switch (request.target.path.dropFirst(3).first, request.method) {
        case (nil, .get):
            return (APIAnswer.json(try await desk.tokens(ownedBy: caller.name).filter { $0.revoked == nil }.map { Shown($0) }), "")
        case (nil, .post):
            try Self.demandPerson(caller)
            let wanted = try await Self.wanted(request)
            let (text, token) = try await desk.makeToken(wanted.name, for: caller.name, grants: wanted.grants ?? [], lifetime: wanted.expiresIn)
            return (APIAnswer.json(Shown(token, text: text), status: .created), "made token \(token.id) «\(token.name)»")
        case (let id?, .delete):
            try Self.demandPerson(caller)
            guard let id = Int64(id), try await desk.revokeToken(id, of: caller.name) else { throw FormatError(.notFound, "you have no such token") }
            return (ArtifactResponse(.noContent), "revoked token \(id)")
        default: throw FormatError(.methodNotAllowed, "tokens are listed by GET, made by POST, and ended by DELETE of /api/v1/tokens/<id>")
        }
    }

    /// By what the session hangs on, too: a token is a password at the sign-in page as it is elsewhere.
    private static func demandPerson(_ caller: Principal) throws {
        guard caller.means == .password || caller.means == .session, caller.limits == .none, case .password = caller.basis else {
            throw FormatError(.forbidden, "tokens are made and ended by who signs in with a password, and not with a token")
        }
    }

    private static func wanted(_ request: IncomingRequest) async throws -> Wanted {
        guard let body = try await request.body.collect(upTo: Self.longestBody) else { throw FormatError(.tooLarge, "the request is longer than 16 KiB") }
        do {
            return try JSONDecoder().decode(Wanted.self, from: Data(body.readableBytesView))
        } catch {
            throw FormatError(.invalidRequest, #"send JSON such as {"name": "ci", "grants": ["read:team-*"], "expiresIn": "90d"}"#)
        }
    }
}
