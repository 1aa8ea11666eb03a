import ArtifactModel
import FormatAPI
import HTTPTypes

/// Where a request goes: pure, by its address alone, never by rights.
struct Route: Sendable {
    enum Target: Sendable {
        case repository(Repository)
        case site
    }
    var target: Target
    var format: any ServedFormat
    /// Its path is relative to the target, its root what was before.
    var head: RequestHead
    /// The root that was used belongs to a repository with `mirror: true`.
    var isMirror = false
    /// The repository below whose own URL the site's address is; nil: it is a root of the server.
    var place: Place?

    enum Place: Sendable {
        case repository(Repository)
        /// Nobody's: answered like another's to who may not know which of the two it is.
        case absent
    }
}

extension Catalogue {
    /// The first segment of every repository's own URL.
    static let repositorySegment = "repository"

    /// nil: nothing is at this address. A format is known as soon as the address shows it, so that even a refusal is in its words.
    func route(_ request: IncomingRequest) -> (route: Route?, format: (any ServedFormat)?, head: RequestHead) {
        var head = RequestHead(
            method: request.method, path: request.target.path, query: request.target.query, headers: request.headers, root: "", origin: request.origin)
        guard let (entrance, format, used) = self.entrance(request) else {
            let isOwn = request.ownRoot == nil && request.target.path.first == Self.repositorySegment
            head.audience = request.origin.authority + (isOwn ? "/" + request.target.encoded.prefix(2).joined(separator: "/") : "")
            return (nil, nil, head)
        }
        head.audience = request.origin.authority + self.audiencePath(entrance, request)
        self.consume(used, of: request, &head)
        if let (repository, own) = self.guest(at: entrance, head) {
            self.consume(used + 1, of: request, &head)
            return (Route(target: .repository(repository), format: own, head: head), own, head)
        }
        guard let location = format.locate(head, at: entrance, among: self) else { return (nil, format, head) }
        self.consume(used + location.consumed, of: request, &head)
        switch location.target {
        case .site:
            return (Route(target: .site, format: format, head: head, isMirror: self.isMirror(entrance), place: self.place(entrance, request)), format, head)
        case .repository(let name):
            guard let repository = self.repositories[name], repository.format == format.id else { return (nil, format, head) }
            return (Route(target: .repository(repository), format: format, head: head, isMirror: self.isMirror(entrance)), format, head)
        }
    }

    /// A repository of another format that answers at this door, by its name as the first segment behind it.
    private func guest(at entrance: Entrance, _ head: RequestHead) -> (Repository, any ServedFormat)? {
        guard case .door(let door) = entrance, head.path.count > 2, let name = try? RepositoryName(head.path[0]),  // no name, no repository
            let repository = self.repositories[name], let format = self.formats[repository.format], format.isGuest(at: door, under: repository.settings)
        else { return nil }
        return (repository, format)
    }

    /// The repository whose own URL the address is below.
    func repository(at request: IncomingRequest) -> Repository? {
        guard request.ownRoot == nil, request.target.path.first == Self.repositorySegment, request.target.path.count >= 2,
            let name = try? RepositoryName(request.target.path[1])  // no name, no repository
        else { return nil }
        return self.repositories[name]
    }

    /// Where a client signs in below a repository's own URL, whether there is one of the name or not.
    func signIn(_ request: IncomingRequest) -> Route? {
        guard request.ownRoot == nil, request.target.path.first == Self.repositorySegment, request.target.path.count > 2 else { return nil }
        var head = RequestHead(
            method: request.method, path: [], query: request.target.query, headers: request.headers, root: "", origin: request.origin)
        head.audience = request.origin.authority + "/" + request.target.encoded.prefix(2).joined(separator: "/")
        self.consume(2, of: request, &head)
        let format = self.formats.values.filter { $0.signsIn(head) }.min { $0.id < $1.id }
        return format.map { Route(target: .site, format: $0, head: head) }
    }

    private func place(_ entrance: Entrance, _ request: IncomingRequest) -> Route.Place? {
        guard case .repository(let name) = entrance, request.ownRoot == nil else { return nil }
        return self.repositories[name].map { .repository($0) } ?? .absent
    }

    /// Of a door nobody's: a mirror is one at its own root and URL.
    private func isMirror(_ entrance: Entrance) -> Bool {
        guard case .repository(let name) = entrance else { return false }
        return self.repositories[name]?.isMirror ?? false
    }

    private func audiencePath(_ entrance: Entrance, _ request: IncomingRequest) -> String {
        guard case .repository = entrance, request.ownRoot == nil else { return "" }
        return "/" + request.target.encoded.prefix(2).joined(separator: "/")
    }

    /// Whether repositories are at addresses like this one: where there is none, nobody in particular is to learn it.
    func leadsToRepositories(_ request: IncomingRequest) -> Bool {
        guard request.ownRoot == nil, let first = request.target.path.first else { return true }
        return first == Self.repositorySegment || self.doors[first] != nil
    }

    /// Where a GET of another path of the same host, with the same query, would lead.
    func destination(of path: [String], asIn request: IncomingRequest) -> (repository: RepositoryName, path: [String])? {
        var other = request
        other.method = .get
        other.target = request.target.with(path: path)
        guard let route = self.route(other).route, case .repository(let repository) = route.target else { return nil }
        return (repository.name, route.head.path)
    }

    /// Whose words a refusal is told in that came before the request was read: by the beginning of its path alone, as it was sent.
    /// - Parameter isOpen: whether everybody may know which repositories there are.
    func format(ofRefused path: String, isOpen: Bool) -> (any ServedFormat)? {
        let segments = path.prefix { $0 != "?" && $0 != "#" }.split(separator: "/", maxSplits: 3).map(String.init)
        guard let first = segments.first else { return nil }
        guard first == Self.repositorySegment else { return self.doors[first] }
        guard segments.count >= 2 else { return nil }
        if isOpen, let name = try? RepositoryName(segments[1]), let format = self.format(of: name) { return format }  // no name, no repository
        return segments.count >= 3 ? self.doors[segments[2]] : nil
    }

    private func entrance(_ request: IncomingRequest) -> (Entrance, any ServedFormat, used: Int)? {
        if let name = request.ownRoot {
            guard let format = self.format(of: name) else { return nil }
            return (.repository(name), format, 0)
        }
        guard let first = request.target.path.first else { return nil }
        if first == Self.repositorySegment {
            guard request.target.path.count >= 2, let name = try? RepositoryName(request.target.path[1]),  // no name, no repository
                let format = self.format(of: name) ?? (request.target.path.count >= 3 ? self.doors[request.target.path[2]] : nil)
            else { return nil }
            return (.repository(name), format, 2)
        }
        return self.doors[first].map { (.door(first), $0, 1) }
    }

    private func format(of name: RepositoryName) -> (any ServedFormat)? { self.repositories[name].flatMap { self.formats[$0.format] } }

    private func consume(_ count: Int, of request: IncomingRequest, _ head: inout RequestHead) {
        head.path = Array(request.target.path.dropFirst(count))
        head.root = request.target.encoded.prefix(count).map { "/" + $0 }.joined()
    }
}

extension String {
    /// `host:port` of `https://host:port`.
    fileprivate var authority: String { self.firstRange(of: "://").map { String(self[$0.upperBound...]) } ?? self }
}

extension IncomingRequest {
    /// A repository's own address as this client sees it, without a slash at its end.
    func base(of repository: Repository) -> String {
        self.ownRoot == repository.name ? self.origin : "\(self.origin)/\(Catalogue.repositorySegment)/\(repository.name)"
    }
}
