import ArtifactModel
public import FormatAPI
import HTTPTypes
import NIOCore

extension OCIFormat {
    /// Rows in a page of which no size was asked for, or a larger one.
    static let largestPage = 10_000

    private struct TagList: Encodable {
        var name: String
        var tags: [String]
    }

    private struct Catalog: Encodable { var repositories: [String] }

    /// Byte-wise ordered; `last` is exclusive and need not exist; none for `n=0`. Distribution-spec 1.1, «Listing Tags».
    ///
    /// An upstream's own list where there is one: what is kept is only what somebody has asked for. In trouble, what is kept.
    func tags(of image: ImageName, _ paging: Paging, _ exchange: Exchange) async throws -> ArtifactResponse {
        let gathered = try await exchange.content.gather(image.text) { try await TagPage(of: image.full(in: $0), paging, in: $0) }
        let pages = gathered.parts.compactMap(\.self)
        guard let first = pages.first else { throw gathered.trouble ?? FormatError(.notFound, "there is no image \(image)", detail: "NAME_UNKNOWN") }
        let name = exchange.links.clientName(image)
        let (page, document) = try await exchange.content.context.compute.run {
            let page = pages.count == 1 ? first : TagPage(merging: pages, after: paging.last, limit: min(paging.count ?? Self.largestPage, Self.largestPage))
            return (page, JSON.text(TagList(name: name, tags: page.names)))
        }
        var response = ArtifactResponse.document(document)
        if let last = page.next {
            response.headers[.link] = exchange.links.next("\(image)/tags/list", (page.count.map { [("n", "\($0)")] } ?? []) + [("last", last)])
        }
        response.mark(skipped: gathered.skippedMembers + (exchange.content.adopts ? pages.flatMap(\.skippedMembers) : []))
        return response
    }

    /// The images of one repository, by their bare names.
    func catalog(_ paging: Paging, _ exchange: Exchange) async throws -> ArtifactResponse {
        let limit = min(paging.count ?? Self.largestPage, Self.largestPage)
        guard limit > 0 else { return Self.catalog([], more: false, limit, exchange.links) }
        let page = try await exchange.content.list(ContentQuery(.packages, after: paging.last, limit: limit))
        var response = Self.catalog(page.rows.map(\.name), more: page.more, limit, exchange.links)
        response.mark(skipped: page.skippedMembers)
        return response
    }

    public func respond(atDoor request: ArtifactRequest, in site: any Site) async throws -> ArtifactResponse? {
        let head = request.head
        guard let address = Address(head.path) else { return nil }
        guard address.methods.contains(head.method) else {
            throw FormatError(.methodNotAllowed, "\(head.method.rawValue) is not among the methods of this address")
        }
        guard var response = try await self.answer(address.place, request, in: site) else { return nil }
        response.headers[.registryVersion] = Self.version
        return response
    }

    private func answer(_ place: Address.Place, _ request: ArtifactRequest, in site: any Site) async throws -> ArtifactResponse? {
        let service = TokenService(site: site, links: Links(request.head))
        switch place {
        case .token: return try await request.head.method == .post ? service.answer(request) : service.answer(request.head)
        case .base:
            // Also where anonymous pulls are allowed: by this answer `docker login` knows whether a password is right.
            guard !site.principal.isEmpty || !site.asksToSignIn else { throw FormatError(.unauthenticated, Self.signIn) }
            return Self.ping
        case .catalog:
            let repositories = try await site.readable()
            guard site.maySeeLists, !repositories.isEmpty || !site.principal.isEmpty || !site.asksToSignIn else {
                throw FormatError(.unauthenticated, Self.signIn)
            }
            return try await self.catalog(try Self.paging(request.head), Links(request.head), of: site, repositories)
        default: return nil
        }
    }

    private static let signIn = "sign in first, with docker login or a token"

    /// The images of all repositories, `<repository>/<image>`, byte-wise ordered.
    private func catalog(_ paging: Paging, _ links: Links, of site: any Site, _ repositories: [RepositoryName]) async throws -> ArtifactResponse {
        // One less than a query may have: see below.
        let limit = min(paging.count ?? Self.largestPage, Self.largestPage - 1)
        var names: [String] = []
        var more = false
        guard limit > 0 else { return Self.catalog([], more: false, limit, links) }
        // With the slash: `a-b/x` is before `a/x`, though `a` is before `a-b`.
        let repositories = repositories.sorted { "\($0)/".utf8.lexicographicallyPrecedes("\($1)/".utf8) }
        for repository in repositories {
            guard case .after(let start) = Self.start(in: repository, after: paging.last), let content = try await site.content(of: repository)
            else { continue }
            // One more than fits tells whether there is a next page, also where it begins in a later repository.
            let query = ContentQuery(.packages, after: start, limit: limit + 1 - names.count)
            names += try await content.list(query).rows.map { "\(repository)/\($0.name)" }
            guard names.count <= limit else {
                more = true
                break
            }
        }
        return Self.catalog(Array(names.prefix(limit)), more: more, limit, links)
    }

    private enum Start {
        case after(String?)
        case skipped
    }

    /// Where a repository's own list begins so that no name is at or before `last`; skipped where all of them are.
    private static func start(in repository: RepositoryName, after last: String?) -> Start {
        guard let last else { return .after(nil) }
        let prefix = "\(repository)/"
        if last.hasPrefix(prefix) { return .after(String(last.dropFirst(prefix.count))) }
        return last.utf8.lexicographicallyPrecedes(prefix.utf8) ? .after(nil) : .skipped
    }

    private static func catalog(_ names: [String], more: Bool, _ limit: Int, _ links: Links) -> ArtifactResponse {
        var response = ArtifactResponse.document(JSON.text(Catalog(repositories: names)))
        if more, let last = names.last { response.headers[.link] = links.next("_catalog", [("n", "\(limit)"), ("last", last)]) }
        return response
    }
}

extension FormatError {
    /// Whether the upstream could not be asked, as against having nothing.
    var isTrouble: Bool {
        switch self.code {
        case .upstreamUnreachable, .upstreamTimedOut, .upstreamFailed, .unavailable: true
        default: false
        }
    }
}
