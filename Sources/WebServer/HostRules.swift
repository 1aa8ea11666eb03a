import ArtifactModel
import HTTPTypes
import RepositoryEngine

/// Which names the server answers to, and what its clients call it.
struct HostRules: Sendable {
    private let baseURL: String?
    private let allowed: Set<String>
    /// The same without their ports: a port that redirects is another one than they say.
    private let allowedNames: Set<String>
    private let restricted: Bool
    private let listed: Bool
    private let ownRoots: [String: RepositoryName]

    init(_ configuration: WebServerConfiguration) {
        self.baseURL = configuration.baseURL
        self.listed = !configuration.hosts.isEmpty
        self.restricted = configuration.baseURL != nil || !configuration.hosts.isEmpty
        var allowed = Set(configuration.hosts.map { $0.lowercased() })
        if let host = configuration.baseURL.flatMap(Self.host) { allowed.insert(host) }
        self.allowed = allowed
        self.allowedNames = Set(allowed.compactMap { Authority($0)?.host })
        self.ownRoots = Dictionary(configuration.ownRoots.map { ($0.key.lowercased(), $0.value) }) { first, _ in first }
    }

    struct Place {
        var origin: String
        var ownRoot: RepositoryName?
    }

    /// - Parameter exempt: any Host will do.
    func place(_ host: Authority?, _ forwarding: Forwarding, at entrance: ListenerEntrance, exempt: Bool) throws(IntakeRefusal) -> Place {
        if entrance.isControl { return Place(origin: "http://\(entrance.name)", ownRoot: nil) }
        let named = forwarding.host.flatMap { Authority($0) } ?? host
        let ownRoot = entrance.ownRoot ?? named.flatMap { self.ownRoots[$0.text] ?? self.ownRoots[$0.host] }
        let derived = entrance.origin(named, scheme: forwarding.scheme)
        if entrance.ownRoot != nil {
            // The base URL is the main listeners' name; an address of a repository's own goes by another.
            guard exempt || !self.listed || self.allows(named) else { throw Self.misdirected }
            return Place(origin: derived, ownRoot: ownRoot)
        }
        if ownRoot != nil { return Place(origin: derived, ownRoot: entrance.isRedirect ? nil : ownRoot) }
        if entrance.isRedirect, let named, self.allowedNames.contains(named.host) { return Place(origin: self.baseURL ?? derived, ownRoot: nil) }
        guard exempt || !self.restricted || self.allows(named) else { throw Self.misdirected }
        return Place(origin: self.baseURL ?? derived, ownRoot: nil)
    }

    private func allows(_ host: Authority?) -> Bool {
        guard let host else { return false }
        return self.allowed.contains(host.text) || self.allowed.contains(host.host)
    }

    private static let misdirected = IntakeRefusal(status: .misdirectedRequest, message: "this server does not answer to that Host", closes: false)

    private static func host(_ url: String) -> String? {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        return Authority(url[scheme.upperBound...].prefix { $0 != "/" })?.text
    }
}

/// Where a connection came in.
struct ListenerEntrance: Sendable {
    /// `host:port`, for clients that name none.
    var name: String
    var ownRoot: RepositoryName?
    var secure: Bool
    /// The socket for command-line tools.
    var isControl = false
    /// Where HTTPS is, at a plain port that only sends its clients there.
    var redirectPort: Int?

    /// Whether nothing may be done here that is not recorded: probes and the operator are let through.
    func isAudited(_ target: RequestTarget) -> Bool { !self.isControl && !self.isRedirect && target.path.first != "health" && target.path != ["metrics"] }
}
