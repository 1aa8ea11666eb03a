public import AccessControl
public import ArtifactModel
import Synchronization

/// Knows whom a test names, by what they bring. Tickets are kept, and not signed.
public final class ScriptedGate: Gatekeeper {
    private struct Held: Sendable {
        var principal: Principal
        var audience: String
    }
    private let people: [Credentials: Principal]
    private let tickets = Mutex<[String: Held]>([:])
    public let anonymous: Principal
    public var isOpen: Bool { false }

    /// - Parameter people: everybody else's credentials are wrong.
    public init(_ people: [Credentials: Principal], anonymous roles: [String] = []) {
        self.people = people
        self.anonymous = .anonymous(roles: roles)
    }

    public func principal(for credentials: Credentials, from client: String, audience: String) async throws(AccessFailure) -> Principal {
        if credentials == .none { return self.anonymous }
        if let known = self.people[credentials] { return known }
        if case .bearer(let text) = credentials, let held = self.tickets.withLock({ $0[text] }), held.audience == audience { return held.principal }
        throw AccessFailure(.wrong, "the name or the password is wrong")
    }

    public func ticket(for principal: Principal, _ permits: [Permit], catalog: Bool, audience: String) async throws(AccessFailure) -> Ticket {
        var confined = principal
        (confined.means, confined.limits) = (.ticket, .permits(permits, catalog: catalog))
        let held = Held(principal: confined, audience: audience)
        let text = self.tickets.withLock { tickets in
            let text = "ticket-\(tickets.count)"
            tickets[text] = held
            return text
        }
        return Ticket(text: text, issued: Timestamp(milliseconds: 1_800_000_000_000), lifetime: .seconds(300))
    }

    public func renewal(for principal: Principal) async throws(AccessFailure) -> String { "renewal-\(principal.name)" }

    public func principal(renewing renewal: String, from client: String) async throws(AccessFailure) -> Principal {
        guard let known = self.people.values.first(where: { renewal == "renewal-\($0.name)" }) else { throw AccessFailure(.wrong, "sign in again") }
        return known
    }

    public func session(for principal: Principal) async throws(AccessFailure) -> String { Self.session(of: principal) }

    private static func session(of principal: Principal) -> String {
        if case .token(let id) = principal.basis { "session-\(principal.name)-\(id)" } else { "session-\(principal.name)" }
    }

    public func principal(inSession session: String) async throws(AccessFailure) -> Principal {
        guard var known = self.people.values.first(where: { session == Self.session(of: $0) }) else { throw AccessFailure(.wrong, "sign in again") }
        known.means = .session
        return known
    }
}

/// The people of the tables that every format's operations are walked with, and their roles; see `AccessTable`.
public struct Cast {
    public let gate: ScriptedGate
    public let authorizer: GrantAuthorizer

    /// - Parameters:
    ///   - repository: what `reader` and `writer` have rights in.
    ///   - path: what `narrow` may read and write alone.
    public init(_ repository: String, path: String) throws {
        self.gate = ScriptedGate(
            Dictionary(
                uniqueKeysWithValues: ["reader", "writer", "stranger", "narrow"].map {
                    (Credentials.basic(name: $0, secret: "right"), Principal(name: $0, roles: [$0]))
                }))
        func grants(_ texts: String...) throws -> [Grant] { try texts.map { try Grant($0) } }
        self.authorizer = GrantAuthorizer(roles: [
            "reader": try grants("read:\(repository)"), "writer": try grants("read:\(repository)", "write:\(repository)", "delete:\(repository)"),
            "stranger": try grants("read:other", "write:other", "delete:other"),
            "narrow": try grants("read:\(repository):\(path)", "write:\(repository):\(path)", "delete:\(repository):\(path)"),
        ])
    }

    /// Each brings their own; `none` nothing, `wrong` a wrong password.
    public static let people = ["none", "wrong", "reader", "writer", "stranger", "narrow"]

    public static func credentials(of person: String) -> Credentials {
        switch person {
        case "none": .none
        case "wrong": .basic(name: "writer", secret: "wrong")
        default: .basic(name: person, secret: "right")
        }
    }
}
