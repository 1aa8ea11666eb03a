import AccessControl
import ArtifactModel
import FormatAPI

/// A repository for who may read some of it: lists have that part. What is asked for by name was authorised by its name.
struct PartlySeen: RepositoryContent {
    /// Rows that are looked at in one go, at least.
    private static let page = 1000

    private let content: any RepositoryContent
    private let mayRead: @Sendable (Access) -> Bool

    /// The content itself where all of the repository may be read.
    static func around(
        _ content: any RepositoryContent, of repository: Repository, by caller: Principal, _ authorizer: any Authorizer
    ) -> any RepositoryContent {
        guard !authorizer.refused([Access(.read)], of: repository.name, by: caller).isEmpty else { return content }
        let name = repository.name
        return PartlySeen(content: content) { authorizer.refused([$0], of: name, by: caller).isEmpty }
    }

    var context: RequestContext { self.content.context }

    /// Whole pages are asked for until one row more than was asked for remains, or until the list ends: what may be read is never left out, and that there is
    /// more is said only where some of it may be read.
    func list(_ query: ContentQuery) async throws -> ContentPage {
        guard query.subject.isOfNames else { return try await self.content.list(query) }
        var query = query
        let limit = query.limit
        query.limit = min(10_000, max(limit + 1, Self.page))
        var seen = ContentPage(rows: [], more: false)
        while true {
            try Task.checkCancellation()
            let page = try await self.content.list(query)
            // Many patterns on many names: not on the event loop.
            seen.rows += try await self.context.compute.run { [mayRead, subject = query.subject] in
                page.rows.filter { mayRead(Self.access($0, of: subject)) }
            }
            seen.skippedMembers = page.skippedMembers
            if seen.rows.count > limit {
                seen.rows.removeLast(seen.rows.count - limit)
                seen.more = true
                return seen
            }
            guard page.more, let last = page.rows.last else { return seen }
            query.after = last.name
        }
    }

    private static func access(_ row: ContentRow, of subject: ContentQuery.Subject) -> Access {
        guard case .folder(let folder) = subject else { return Access(.read, path: row.name) }
        let path = (folder.map { "\($0.text)/" } ?? "") + row.name
        return row.digest == nil ? .some(.read, below: path + "/") : Access(.read, path: path)
    }

    func content(_ want: ContentRequest) async throws -> Content? { try await self.content.content(want) }
    func resolve(_ want: PointerRequest) async throws -> Pointer? { try await self.content.resolve(want) }
    func forward(_ call: UpstreamCall) async throws -> UpstreamReply? { try await self.content.forward(call) }
    func fullName(_ name: String) -> String { self.content.fullName(name) }
    func document<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> Content? {
        try await self.content.document(type, key, demand)
    }
    func entry<Document: DerivedDocument>(
        _ type: Document.Type, _ key: Document.Key, section: String, name: String
    ) async throws -> DocumentEntry? {
        try await self.content.entry(type, key, section: section, name: name)
    }
    func outlines<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> Gathered<Outline>? {
        guard var outlines = try await self.content.outlines(type, key, demand) else { return nil }
        guard Document.name(key) == nil else { return outlines }
        let (parts, mayRead) = (outlines.parts, self.mayRead)
        outlines.parts = try await self.context.compute.run {
            parts.map { $0.filter { entry in Document.subject(of: entry, key).map { mayRead(Access(.read, path: $0)) } ?? true } }
        }
        return outlines
    }
    func stage(_ body: ByteStream, _ demand: StageDemand) async throws -> StagedBlob { try await self.content.stage(body, demand) }
    func uploads(in scope: String) -> any UploadSessions { self.content.uploads(in: scope) }
    func commit(_ edit: Edit) async throws { try await self.content.commit(edit) }
    func gather<Part: Sendable>(_ name: String?, _ ask: @escaping @Sendable (any RepositoryContent) async throws -> Part) async throws -> Gathered<Part> {
        try await self.content.gather(name, ask)
    }
    func generation(of document: DocumentID) async throws -> Int64 { try await self.content.generation(of: document) }
    func asksUpstream(about name: String) async throws -> Bool { try await self.content.asksUpstream(about: name) }
    func writable() throws -> any RepositoryContent { try self.content.writable() }
    var adopts: Bool { self.content.adopts }
    func adopt(_ want: ContentRequest) async throws -> Bool { try await self.content.adopt(want) }
}

extension ContentQuery.Subject {
    /// A list of what may be read and what may not, side by side.
    fileprivate var isOfNames: Bool {
        switch self {
        case .packages, .folder: true
        case .package, .components, .pointers, .edges: false
        }
    }
}
